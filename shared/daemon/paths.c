#include "shared/daemon/paths.h"

#include "shared/core/vec.h"
#include "shared/daemon/conf.h"
#include "shared/daemon/daemon.h"

void daemon_path_add(struct daemon_paths *paths, const char *path, unsigned flags)
{
	if (!path || !path[0])
		return;
	mx_vec_push(paths, (struct daemon_path){ .path = mx_strdup(path), .flags = flags });
}

void daemon_paths_collect(const struct daemon_app *app, struct conf *conf,
			  struct daemon_paths *paths)
{
	const struct daemon_conf *values = conf_values(conf);

	daemon_path_add(paths, conf_path(conf), DAEMON_PATH_BACKUP);
	daemon_path_add(paths, values->tls.certificate, 0);
	daemon_path_add(paths, values->tls.key, 0);
	daemon_path_add(paths, values->outbound.ca_file, DAEMON_PATH_NEEDED);
	if (app->paths)
		app->paths(values, paths);
}

void daemon_paths_done(struct daemon_paths *paths)
{
	for (size_t i = 0; i < paths->len; i++)
		mx_free(paths->items[i].path);
	mx_vec_done(paths);
}

bool daemon_paths_execute(const struct daemon_paths *paths)
{
	for (size_t i = 0; i < paths->len; i++)
		if (paths->items[i].flags & DAEMON_PATH_EXECUTE)
			return true;
	return false;
}
