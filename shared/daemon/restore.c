#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/daemon/commands.h"
#include "shared/daemon/conf.h"
#include "shared/daemon/files.h"
#include "shared/daemon/manifest.h"
#include "shared/daemon/state.h"
#include "shared/json/json.h"
#include "shared/store/store.h"

#include <sys/stat.h>
#include <unistd.h>

#define FILE_BYTES_MAX (1024u * 1024)

struct restore {
	const struct daemon_app *app;
	const char *from;
	const char *data_directory;
	json_t *manifest;
	struct daemon_paths paths; /* of the configuration in force */
	uid_t user; /* whose everything will be */
	gid_t group;
	struct mx_error err;
};

static int load_manifest(struct restore *restore)
{
	mx_arena_auto *mem = mx_arena_new(0);
	mx_autofree char *path = mx_strf("%s/" MANIFEST_NAME, restore->from), *text = NULL;
	size_t len;
	int rc = file_read(path, MANIFEST_BYTES_MAX, &text, &len, &restore->err);

	if (rc == 0)
		rc = mx_json_parse(mx_slice_of(text, len), &mx_json_default_limits, mem,
				   &restore->manifest, &restore->err);
	if (rc)
		return rc;
	if (jint(restore->manifest, "format", 0) != MANIFEST_FORMAT)
		return mx_fail(&restore->err, MX_STORE, "%s: is of another format", path);
	if (!streq(jstr(restore->manifest, "daemon"), restore->app->name))
		return mx_fail(&restore->err, MX_STORE, "%s: is a backup of %s, not of %s", path,
			       jstr_or(restore->manifest, "daemon", "something else"),
			       restore->app->name);
	return 0;
}

static int restore_store(struct restore *restore)
{
	mx_autofree char *from = mx_strf("%s/store", restore->from);
	mx_autofree char *to = mx_strf("%s/store", restore->data_directory);
	int rc;

	if (!jbool(restore->manifest, "store", false))
		return 0;
	rc = store_restore(from, to, &restore->err);
	if (rc == 0)
		printf("The store is in %s.\n", to);
	return rc;
}

/* A backup does not choose places: letters only. */
static bool is_plain_name(const char *name)
{
	return name[0] && name[strspn(name, "abcdefghijklmnopqrstuvwxyz")] == '\0';
}

static int restore_tree(struct restore *restore)
{
	const char *name = jstr(restore->manifest, "tree");
	mx_autofree char *from = NULL, *to = NULL;
	int rc;

	if (!name)
		return 0;
	if (!is_plain_name(name))
		return mx_fail(&restore->err, MX_STORE, "%s is no name of a directory", name);
	from = mx_strf("%s/%s", restore->from, name);
	to = mx_strf("%s/%s", restore->data_directory, name);
	rc = tree_copy(from, to, &restore->err);
	if (rc == 0)
		printf("The %s is in %s.\n", name, to);
	return rc;
}

static bool same_bytes(const char *a, const char *b)
{
	mx_autofree char *bytes_a = NULL, *bytes_b = NULL;
	size_t len_a, len_b;

	return file_read(a, FILE_BYTES_MAX, &bytes_a, &len_a, NULL) == 0 &&
	       file_read(b, FILE_BYTES_MAX, &bytes_b, &len_b, NULL) == 0 &&
	       mx_slice_eq(mx_slice_of(bytes_a, len_a), mx_slice_of(bytes_b, len_b));
}

static const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Only where the configuration in force names the file: a backup does not choose places. A
 * configuration that keeps everything elsewhere names the file by its last part. */
static const char *place_of(const struct restore *restore, const char *path)
{
	const char *elsewhere = NULL;

	for (size_t i = 0; i < restore->paths.len; i++) {
		const struct daemon_path *ours = &restore->paths.items[i];

		if (!(ours->flags & DAEMON_PATH_BACKUP))
			continue;
		if (streq(ours->path, path))
			return ours->path;
		if (streq(file_name(ours->path), file_name(path)))
			elsewhere = ours->path;
	}
	return elsewhere;
}

static int restore_file(struct restore *restore, const char *former, const char *name)
{
	mx_autofree char *from = mx_strf("%s/%s", restore->from, name);
	const char *path = place_of(restore, former);
	int rc;

	if (!path) {
		printf("%s is not named by the configuration; the backup's is %s.\n", former, from);
		return 0;
	}
	if (access(path, F_OK) == 0) {
		if (same_bytes(from, path))
			printf("%s is there already.\n", path);
		else
			printf("%s differs and is kept; the backup's is %s.\n", path, from);
		return 0;
	}
	rc = file_copy(from, path, &restore->err);
	if (rc == 0 && geteuid() == 0)
		rc = tree_chown(path, restore->user, restore->group, &restore->err);
	if (rc == 0)
		printf("%s is restored.\n", path);
	return rc;
}

static int restore_files(struct restore *restore)
{
	const json_t *file;
	size_t i;
	int rc = 0;

	json_array_foreach (jarr(restore->manifest, "files"), i, file) {
		const char *path = jstr(file, "path"), *name = jstr(file, "name");

		if (rc == 0 && path && name && !strstr(name, ".."))
			rc = restore_file(restore, path, name);
	}
	return rc;
}

static int restore_all(struct restore *restore)
{
	struct stat owner;
	int rc = load_manifest(restore);

	if (rc)
		return rc;
	if (stat(restore->data_directory, &owner) == 0) {
		restore->user = owner.st_uid;
		restore->group = owner.st_gid;
	}
	rc = restore_store(restore);
	if (rc == 0)
		rc = restore_tree(restore);
	if (rc == 0)
		rc = restore_files(restore);
	/* Its lock may have been made just now, by root. */
	if (rc == 0 && geteuid() == 0)
		rc = tree_chown(restore->data_directory, restore->user, restore->group,
				&restore->err);
	return rc;
}

int command_restore(const struct daemon_app *app, struct conf *conf, char **argv)
{
	const struct daemon_conf *values = conf_values(conf);
	struct restore restore = { .app = app,
				   .from = argv[1],
				   .data_directory = values->data_directory };
	int lock = -1, rc;

	rc = data_directory_lock(values->data_directory, &lock, &restore.err);
	daemon_paths_collect(app, conf, &restore.paths);
	if (rc == 0)
		rc = restore_all(&restore);
	if (rc)
		fprintf(stderr, "nothing more is restored: %s\n", mx_error_text(&restore.err, rc));
	json_decref(restore.manifest);
	daemon_paths_done(&restore.paths);
	if (lock >= 0)
		close(lock);
	return rc ? 1 : 0;
}
