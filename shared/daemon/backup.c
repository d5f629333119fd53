#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/log.h"
#include "shared/core/rand.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/daemon/conf.h"
#include "shared/daemon/files.h"
#include "shared/daemon/manifest.h"
#include "shared/daemon/state.h"
#include "shared/json/json.h"
#include "shared/store/store.h"

#include <dirent.h>
#include <unistd.h>

#define STAGE_PREFIX ".backup-"

/* files/2-signing.key: the number keeps apart files of one name. */
static int copy_file(const struct daemon_path *file, size_t number, const char *to, json_t *files,
		     struct mx_error *err)
{
	const char *slash = strrchr(file->path, '/');
	mx_autofree char *name = mx_strf("files/%zu-%s", number, slash ? slash + 1 : file->path);
	mx_autofree char *target = mx_strf("%s/%s", to, name);
	int rc = file_copy(file->path, target, err);

	if (rc == 0)
		json_array_append_new(files,
				      json_pack("{s:s, s:s}", "path", file->path, "name", name));
	return rc;
}

/* A file that is named but not there, such as a key yet to be made, is left out. */
static int copy_files(const struct daemon *daemon, const char *to, json_t *files,
		      struct mx_error *err)
{
	mx_autofree char *directory = mx_strf("%s/files", to);
	int rc = directory_make(directory, err);

	for (size_t i = 0; i < daemon->paths.len && rc == 0; i++) {
		const struct daemon_path *file = &daemon->paths.items[i];

		if (file->flags & DAEMON_PATH_BACKUP && access(file->path, F_OK) == 0)
			rc = copy_file(file, i + 1, to, files, err);
	}
	return rc ? rc : directory_sync(directory, err);
}

static int copy_store(const struct daemon *daemon, const char *to, struct mx_error *err)
{
	mx_autofree char *target = mx_strf("%s/store", to);

	return daemon->store ? store_backup(daemon->store, target, err) : 0;
}

static int copy_tree(const struct daemon *daemon, const char *to, struct mx_error *err)
{
	const struct daemon_conf *values = conf_values(daemon->conf);
	mx_autofree char *from = mx_strf("%s/%s", values->data_directory, daemon->tree.name);
	mx_autofree char *target = mx_strf("%s/%s", to, daemon->tree.name);

	return tree_link(from, target, err);
}

/* The store first: whatever its rows count then is there until all is copied. */
static int copy_data(const struct daemon *daemon, const char *to, struct mx_error *err)
{
	int rc;

	if (!daemon->tree.name)
		return copy_store(daemon, to, err);
	daemon->tree.hold(daemon->tree.ctx);
	rc = copy_store(daemon, to, err);
	if (rc == 0)
		rc = copy_tree(daemon, to, err);
	daemon->tree.release(daemon->tree.ctx);
	return rc;
}

/* Last of all: a backup without it is not complete. */
static int write_manifest(const struct daemon *daemon, const char *to, json_t *files,
			  struct mx_error *err)
{
	json_auto_t *manifest = json_pack("{s:i, s:s, s:s, s:I, s:b, s:O}", "format",
					  MANIFEST_FORMAT, "daemon", daemon->app->name, "version",
					  TRINITY_VERSION, "taken_ms", (json_int_t)mx_now_ms(),
					  "store", daemon->store != NULL, "files", files);
	mx_autofree char *path = mx_strf("%s/" MANIFEST_NAME, to), *text = NULL;
	int rc;

	if (daemon->tree.name)
		json_object_set_new(manifest, "tree", json_string(daemon->tree.name));
	text = mx_json_text(manifest);
	rc = file_write(path, mx_slice(text), err);
	return rc ? rc : directory_sync(to, err);
}

/* Who moves it on says where to: that is the path that the operator knows. */
static void log_taken(const char *to, const char *destination)
{
	if (destination)
		mx_log(MX_LOG_INFO, "backup taken, the command moves it to its place", "to",
		       destination, NULL);
	else
		mx_log(MX_LOG_INFO, "backup taken", "to", to, NULL);
}

int backup_take(struct daemon *daemon, const char *to, const char *destination,
		struct mx_error *err)
{
	json_auto_t *files = json_array();
	int rc;

	if (to[0] != '/')
		return mx_fail(err, MX_INVALID_PARAM, "to: an absolute path is needed");
	rc = directory_make(to, err);
	if (rc == 0)
		rc = copy_data(daemon, to, err);
	if (rc == 0)
		rc = copy_files(daemon, to, files, err);
	if (rc == 0)
		rc = write_manifest(daemon, to, files, err);
	if (rc == 0)
		log_taken(to, destination);
	return rc;
}

char *backup_stage(const char *data_directory)
{
	char token[13];

	mx_random_token(token, sizeof(token) - 1);
	return mx_strf("%s/" STAGE_PREFIX "%s", data_directory, token);
}

void backup_clear(const char *data_directory)
{
	DIR *dir = opendir(data_directory);
	const struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		mx_autofree char *path = mx_strf("%s/%s", data_directory, entry->d_name);

		if (!mx_starts_with(entry->d_name, STAGE_PREFIX))
			continue;
		tree_remove(path);
		mx_log(MX_LOG_INFO, "a backup that was not finished is removed", "path", path,
		       NULL);
	}
	if (dir)
		closedir(dir);
}
