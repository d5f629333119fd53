/* The smallest daemon over shared/daemon, for the tests of what all daemons have in common. */
#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/daemon/daemon.h"
#include "shared/http/request.h"
#include "shared/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#define SLOW_SECONDS 2

struct mini_conf {
	struct daemon_conf common;
	char *greeting, *key_file;
};

struct mini {
	struct store *store;
	struct net *net;
	pthread_mutex_t lock; /* greeting */
	char *greeting;
	_Atomic bool tired;
};

static const struct store_table notes = { .name = "notes" };
static const struct store_table *const tables[] = { &notes, NULL };

/* ---- public */

static int get_hello(struct req *r)
{
	struct mini *mini = r->app;

	pthread_mutex_lock(&mini->lock);
	reply_json(r, json_pack("{s:s}", "hello", mini->greeting));
	pthread_mutex_unlock(&mini->lock);
	return 0;
}

static int get_slow(struct req *r)
{
	nanosleep(&(struct timespec){ .tv_sec = SLOW_SECONDS }, NULL);
	reply_json(r, json_pack("{s:b}", "slow", 1));
	return 0;
}

static int get_note(struct req *r)
{
	struct mx_slice value;
	int rc = store_get(r->view, &notes, mx_slice(req_param(r, "name")), r->mem, &value);

	if (rc == 0)
		reply_json(r, json_pack("{s:s%}", "note", value.ptr, value.len));
	return rc;
}

static int put_note(struct req *r)
{
	store_txn_put(r->txn, &notes, mx_slice(req_param(r, "name")), r->raw);
	return 0;
}

static const struct route public_rows[] = {
	{ GET, "/hello", get_hello, .lane = LANE_IO },
	{ GET, "/slow", get_slow, .lane = LANE_NET },
	{ GET, "/note/{name}", get_note, .txn = TXN_READ },
	{ PUT, "/note/{name}", put_note, .txn = TXN_WRITE, .flags = ROUTE_RAW_BODY },
	{ 0 },
};

/* ---- admin */

static int get_pid(struct req *r)
{
	reply_json(r, json_pack("{s:i}", "pid", (int)getpid()));
	return 0;
}

static int post_tired(struct req *r)
{
	struct mini *mini = r->app;

	mini->tired = streq(req_query(r, "is"), "true");
	return 0;
}

/* What an intruder would try: the error numbers that he gets. */
static int get_attempt(struct req *r)
{
	const char *path = req_query(r, "path");
	bool to_write = streq(req_query(r, "write"), "true");
	char *const nothing[] = { NULL };
	int fd, open_errno, exec_errno;

	if (!path)
		return mx_fail(&r->err, MX_MISSING_PARAM, "path is missing");
	fd = open(path, (to_write ? O_WRONLY | O_CREAT : O_RDONLY) | O_CLOEXEC, 0600);
	open_errno = fd < 0 ? errno : 0;
	if (fd >= 0)
		close(fd);
	execve("/nonexistent", nothing, nothing);
	exec_errno = errno;
	reply_json(r, json_pack("{s:i, s:i}", "open", open_errno, "exec", exec_errno));
	return 0;
}

static const struct route admin_rows[] = {
	{ GET, "/admin/v1/pid", get_pid },
	{ GET, "/admin/v1/attempt", get_attempt },
	{ POST, "/admin/v1/tired", post_tired },
	{ 0 },
};

static const struct route *const public_tables[] = { public_rows, NULL };
static const struct route *const admin_tables[] = { admin_rows, NULL };

/* ---- configuration */

static const cyaml_schema_field_t fields[] = {
	CYAML_FIELD_STRING_PTR("greeting", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
			       struct mini_conf, greeting, 1, 100),
	CYAML_FIELD_STRING_PTR("key_file", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
			       struct mini_conf, key_file, 1, 1000),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct mini_conf, fields),
};

static int mini_conf_check(void *ptr, struct mx_error *err)
{
	struct mini_conf *conf = ptr;

	if (!conf->greeting)
		conf->greeting = mx_strdup("world");
	if (streq(conf->greeting, "nobody"))
		return mx_fail(err, MX_BAD_CONFIG, "greeting: somebody has to be greeted");
	return 0;
}

static void mini_paths(const void *ptr, struct daemon_paths *paths)
{
	const struct mini_conf *conf = ptr;

	daemon_path_add(paths, conf->key_file, DAEMON_PATH_BACKUP);
}

/* ---- life */

static void set_greeting(struct mini *mini, const char *greeting)
{
	pthread_mutex_lock(&mini->lock);
	mx_free(mini->greeting);
	mini->greeting = mx_strdup(greeting);
	pthread_mutex_unlock(&mini->lock);
}

static void mini_stop(void *ctx)
{
	struct mini *mini = ctx;

	mx_free(mini->greeting);
	pthread_mutex_destroy(&mini->lock);
	mx_free(mini);
}

static int mini_start(struct daemon *daemon, const void *ptr, void **ret_ctx, struct mx_error *err)
{
	const struct mini_conf *conf = ptr;
	struct mini *mini = mx_calloc(1, sizeof(*mini));
	int rc = daemon_store(daemon, &(struct store_conf){ .tables = tables }, &mini->store, err);

	if (rc == 0)
		rc = daemon_net(daemon, &mini->net, err);
	if (rc) {
		mx_free(mini);
		return rc;
	}
	pthread_mutex_init(&mini->lock, NULL);
	set_greeting(mini, conf->greeting);
	*ret_ctx = mini;
	return 0;
}

static void mini_reload(void *ctx, const void *ptr)
{
	set_greeting(ctx, ((const struct mini_conf *)ptr)->greeting);
}

static const char *why_tired(void *ctx)
{
	return ((struct mini *)ctx)->tired ? "tired of greeting" : NULL;
}

static const struct daemon_check checks[] = { { "mood", why_tired, false }, { 0 } };

static int command_greet(const void *ptr, int argc, char **argv)
{
	const struct mini_conf *conf = ptr;

	printf("%s greets %s\n", conf->greeting, argc > 1 ? argv[1] : "nobody");
	return argc > 1 ? 0 : 1;
}

/* Asks the running daemon for its pid. */
static int command_pid(const void *ptr, int argc, char **argv)
{
	const struct mini_conf *conf = ptr;
	struct mx_error err = { 0 };
	mx_autofree char *text = NULL;
	int status;

	(void)argc;
	(void)argv;
	if (daemon_ask(&conf->common, "GET", "/admin/v1/pid", NULL, &status, &text, &err)) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	puts(text);
	return 0;
}

static const struct daemon_command mini_commands[] = {
	{ "greet", "NAME", "say who is greeted", true, command_greet },
	{ "pid", "", "the number of the running process", true, command_pid },
	{ 0 },
};

static const struct daemon_command *const commands[] = { mini_commands, NULL };

static const struct daemon_app app = {
	.name = "mini_daemon",
	.default_conf = "/etc/trinity/mini.yaml",
	.conf_schema = &schema,
	.conf_check = mini_conf_check,
	.paths = mini_paths,
	.start = mini_start,
	.reload = mini_reload,
	.stop = mini_stop,
	.routes = public_tables,
	.admin_routes = admin_tables,
	.checks = checks,
	.commands = commands,
};

int main(int argc, char **argv)
{
	return daemon_main(&app, argc, argv);
}
