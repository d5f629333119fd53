#include "shared/daemon/commands.h"

#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/daemon/conf.h"
#include "shared/daemon/daemon.h"
#include "shared/daemon/files.h"
#include "shared/daemon/state.h"
#include "shared/json/json.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

static int complain(const char *what, const struct mx_error *err, int rc)
{
	fprintf(stderr, "%s: %s\n", what, mx_error_text(err, rc));
	return 1;
}

/* The `error` of an answer, or all of it. */
static void show_refusal(int status, const char *text)
{
	mx_arena_auto *mem = mx_arena_new(0);
	json_auto_t *answer = NULL;
	const char *why = NULL;

	if (mx_json_parse(mx_slice(text), &mx_json_default_limits, mem, &answer, NULL) == 0)
		why = jstr(answer, "error");
	fprintf(stderr, "refused (%d): %s\n", status, why ? why : text);
}

/* 0 with the answer of a 200, else the exit status; says why. */
static int ask(const struct daemon_conf *values, const char *method, const char *path,
	       const char *body, char **ret_text)
{
	struct mx_error err = { 0 };
	int status, rc = daemon_ask(values, method, path, body, &status, ret_text, &err);

	if (rc)
		return complain("cannot ask the daemon", &err, rc);
	if (status == 200)
		return 0;
	show_refusal(status, *ret_text);
	mx_free(mx_steal(ret_text));
	return 1;
}

static int command_status(const struct daemon_app *app, struct conf *conf, char **argv)
{
	mx_arena_auto *mem = mx_arena_new(0);
	mx_autofree char *text = NULL, *pretty = NULL;
	json_auto_t *answer = NULL;

	(void)app;
	(void)argv;
	if (ask(conf_values(conf), "GET", "/admin/v1/status", NULL, &text))
		return 1;
	if (mx_json_parse(mx_slice(text), &mx_json_default_limits, mem, &answer, NULL) == 0)
		pretty = json_dumps(answer, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	puts(pretty ? pretty : text);
	return answer && jbool(answer, "ready", false) ? 0 : 1;
}

static int command_reload(const struct daemon_app *app, struct conf *conf, char **argv)
{
	mx_autofree char *text = NULL;

	(void)app;
	(void)argv;
	if (ask(conf_values(conf), "POST", "/admin/v1/reload", "{}", &text))
		return 1;
	puts("The configuration is reloaded.");
	return 0;
}

/* The daemon may write in its data directory only; who asks may write elsewhere. */
static int backup_through(const struct daemon_conf *values, const char *stage, const char *to)
{
	json_auto_t *body = json_pack("{s:s, s:s}", "to", stage, "destination", to);
	mx_autofree char *text = mx_json_text(body), *answer = NULL;
	struct mx_error err = { 0 };
	int rc;

	if (ask(values, "POST", "/admin/v1/backup", text, &answer)) {
		tree_remove(stage);
		return 1;
	}
	rc = tree_move(stage, to, &err);
	if (rc) {
		tree_remove(stage);
		return complain("the backup cannot be put there", &err, rc);
	}
	printf("The backup is in %s.\n", to);
	return 0;
}

static int command_backup(const struct daemon_app *app, struct conf *conf, char **argv)
{
	const struct daemon_conf *values = conf_values(conf);
	mx_autofree char *stage = backup_stage(values->data_directory);
	char to[PATH_MAX];
	bool was_there = access(argv[1], F_OK) == 0;
	struct mx_error err = { 0 };
	int rc = directory_make(argv[1], &err);

	(void)app;
	if (rc)
		return complain("cannot use that directory", &err, rc);
	if (!realpath(argv[1], to)) {
		perror(argv[1]);
		return 1;
	}
	rc = backup_through(values, stage, to);
	if (rc && !was_there)
		rmdir(argv[1]);
	return rc;
}

const struct common_command common_commands[] = {
	{ "backup", "DIR", "copy store, signing keys and configuration of the running daemon", 1,
	  command_backup },
	{ "restore", "DIR", "put a backup where no store is; the daemon must not run", 1,
	  command_restore },
	{ "status", "", "what the running daemon says of itself; fails if it is not ready", 0,
	  command_status },
	{ "reload", "", "make the running daemon read its configuration and certificates again", 0,
	  command_reload },
	{ 0 },
};
