#include "notary/commands.h"

#include "shared/core/alloc.h"
#include "shared/core/str.h"
#include "shared/core/url.h"
#include "shared/daemon/console.h"
#include "shared/json/json.h"

#include <errno.h>
#include <stdio.h>

#define LINE_BYTES 512

/* ---- asking the daemon */

int command_usage(const char *usage)
{
	return console_usage(NOTARY_PROGRAM, usage);
}

json_t *command_ask(const void *conf, const char *method, const char *path, const json_t *body)
{
	return console_ask(NOTARY_PROGRAM, conf, method, path, body);
}

char *command_server_path(const char *server, const char *rest)
{
	struct mx_str path = { 0 };

	mx_str_add_text(&path, "/admin/v1/servers/");
	mx_url_add(&path, mx_slice(server));
	mx_str_add_text(&path, rest);
	return mx_str_steal(&path);
}

/* One request about one server, whose answer is only success. */
static int tell(const void *conf, const char *method, const char *server, const char *rest,
		json_t *body)
{
	mx_autofree char *path = command_server_path(server, rest);
	json_t *answer = command_ask(conf, method, path, body);

	json_decref(body);
	if (!answer)
		return EXIT_FAILURE;
	json_decref(answer);
	puts("done");
	return EXIT_SUCCESS;
}

/* ---- decisions */

static int command_deny(const void *conf, int argc, char **argv)
{
	if (argc != 3)
		return command_usage("deny SERVER REASON");
	return tell(conf, "PUT", argv[1], "/deny", json_pack("{s:s}", "reason", argv[2]));
}

static int command_undeny(const void *conf, int argc, char **argv)
{
	if (argc != 2)
		return command_usage("undeny SERVER");
	return tell(conf, "DELETE", argv[1], "/deny", NULL);
}

static int command_pin(const void *conf, int argc, char **argv)
{
	if (argc != 5)
		return command_usage("pin SERVER KEY_ID PUBLIC_KEY REASON");
	return tell(conf, "PUT", argv[1], "/pin",
		    json_pack("{s:s, s:s, s:s}", "key_id", argv[2], "public_key", argv[3], "reason",
			      argv[4]));
}

static int command_unpin(const void *conf, int argc, char **argv)
{
	if (argc != 2)
		return command_usage("unpin SERVER");
	return tell(conf, "DELETE", argv[1], "/pin", NULL);
}

static int command_purge(const void *conf, int argc, char **argv)
{
	static const char usage[] = "purge SERVER REASON [NUMBER]";
	mx_autofree char *path = NULL;
	json_auto_t *body = NULL, *answer = NULL;
	int64_t number;

	if (argc != 3 && argc != 4)
		return command_usage(usage);
	body = json_pack("{s:s}", "reason", argv[2]);
	if (argc == 4) {
		if (!mx_parse_i64(mx_slice(argv[3]), &number) || number < 1)
			return command_usage(usage);
		json_object_set_new(body, "number", json_integer(number));
	}
	path = command_server_path(argv[1], "/purge");
	answer = command_ask(conf, "POST", path, body);
	if (!answer)
		return EXIT_FAILURE;
	printf("removed %lld sets of keys\n", (long long)jint(answer, "removed", 0));
	return EXIT_SUCCESS;
}

/* ---- what is kept fresh */

struct prefetch {
	const void *conf;
	const char *method;
	size_t done, failed;
};

static void prefetch_one(struct prefetch *prefetch, const char *server)
{
	mx_autofree char *path = command_server_path(server, "/prefetch");
	json_auto_t *answer = command_ask(prefetch->conf, prefetch->method, path, NULL);

	if (answer) {
		prefetch->done++;
		return;
	}
	fprintf(stderr, NOTARY_PROGRAM ": not taken: %s\n", server);
	prefetch->failed++;
}

static bool prefetch_file(struct prefetch *prefetch, const char *name)
{
	FILE *file = streq(name, "-") ? stdin : fopen(name, "re");
	char line[LINE_BYTES];

	if (!file) {
		fprintf(stderr, NOTARY_PROGRAM ": %s: %s\n", name, strerror(errno));
		return false;
	}
	while (fgets(line, sizeof(line), file)) {
		struct mx_slice server = mx_trim(mx_slice_of(line, strcspn(line, "#\r\n")));

		line[server.ptr + server.len - line] = '\0';
		if (server.len)
			prefetch_one(prefetch, server.ptr);
	}
	if (file != stdin)
		fclose(file);
	return true;
}

static int command_prefetch(const void *conf, int argc, char **argv)
{
	struct prefetch prefetch = { .conf = conf, .method = "POST" };
	bool stop = argc > 1 && streq(argv[1], "--stop");
	int first = stop ? 2 : 1;

	if (argc <= first || (streq(argv[first], "--file") && argc != first + 2))
		return command_usage("prefetch [--stop] SERVER… | prefetch [--stop] --file FILE");
	if (stop)
		prefetch.method = "DELETE";
	if (streq(argv[first], "--file")) {
		if (!prefetch_file(&prefetch, argv[first + 1]))
			return EXIT_FAILURE;
	} else {
		for (int i = first; i < argc; i++)
			prefetch_one(&prefetch, argv[i]);
	}
	printf("%zu servers are %s\n", prefetch.done,
	       stop ? "no longer prefetched" : "kept fresh from now on");
	return prefetch.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

const struct daemon_command notary_commands[] = {
	{ "overview", "", "what the notary knows, and slow and failing servers", true,
	  command_overview },
	{ "inspect", "[--json] SERVER", "key history, fetches and decisions of a server", true,
	  command_inspect },
	{ "refetch", "[--json] SERVER", "ask a server now, whatever its back-off", true,
	  command_refetch },
	{ "verify", "[--json] SERVER", "how a server is found, step by step, and what it answers",
	  true, command_verify },
	{ "deny", "SERVER REASON", "neither ask nor serve a server", true, command_deny },
	{ "undeny", "SERVER", "take a denial back", true, command_undeny },
	{ "pin", "SERVER KEY_ID PUBLIC_KEY REASON", "serve only key sets with this key", true,
	  command_pin },
	{ "unpin", "SERVER", "remove all pins of a server", true, command_unpin },
	{ "purge", "SERVER REASON [NUMBER]", "remove a server's history, or one set of keys", true,
	  command_purge },
	{ "prefetch", "[--stop] SERVER… | [--stop] --file FILE",
	  "keep servers fresh whether asked for or not", true, command_prefetch },
	{ "conflicts", "", "key ids that reappeared with other bytes", true, command_conflicts },
	{ "audit", "", "decisions, purges and alarms, the newest first", true, command_audit },
	{ "import", "KIND SOURCE", "verify and take over keys: synapse, key-server, trinity", true,
	  command_import },
	{ "export", "", "the whole history, a JSON object a line", true, command_export },
	{ "key", "list | generate FILE | import FILE | rotate", "the notary's own keys", true,
	  command_key },
	{ 0 },
};
