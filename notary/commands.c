#include "notary/commands.h"

#include "notary/notary_conf.h"
#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/core/url.h"
#include "shared/json/json.h"

#include <stdio.h>
#include <time.h>

#define EXIT_USAGE 2

/* ---- asking the daemon */

int command_usage(const char *usage)
{
	fprintf(stderr, "usage: trinity-notary %s\n", usage);
	return EXIT_USAGE;
}

static json_t *refused(int status, const json_t *answer, const char *text)
{
	const char *sentence = jstr(answer, "error");

	if (sentence)
		fprintf(stderr, "trinity-notary: %s\n", sentence);
	else
		fprintf(stderr, "trinity-notary: the daemon answered %d: %.200s\n", status, text);
	return NULL;
}

json_t *command_ask(const void *conf, const char *method, const char *path, const json_t *body)
{
	const struct notary_conf *notary_conf = conf;
	mx_autofree char *sent = body ? mx_json_text(body) : NULL;
	mx_autofree char *text = NULL;
	struct mx_error err = { 0 };
	json_t *answer;
	int status;

	if (daemon_ask(&notary_conf->daemon, method, path, sent, &status, &text, &err)) {
		fprintf(stderr, "trinity-notary: %s\n", err.text);
		return NULL;
	}
	/* our own daemon's answer, over its own socket */
	answer = json_loads(text, 0, NULL);
	if (status == 200 && answer)
		return answer;
	refused(status, answer, text);
	json_decref(answer);
	return NULL;
}

static char *server_path(const char *server, const char *rest)
{
	struct mx_str path = { 0 };

	mx_str_add_text(&path, "/admin/v1/servers/");
	mx_url_add(&path, mx_slice(server));
	mx_str_add_text(&path, rest);
	return mx_str_steal(&path);
}

static int print_json(json_t *answer)
{
	if (!answer)
		return EXIT_FAILURE;
	json_dumpf(answer, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(answer);
	return EXIT_SUCCESS;
}

/* One request about one server, whose answer is only success. */
static int tell(const void *conf, const char *method, const char *server, const char *rest,
		json_t *body)
{
	mx_autofree char *path = server_path(server, rest);
	json_t *answer = command_ask(conf, method, path, body);

	json_decref(body);
	if (!answer)
		return EXIT_FAILURE;
	json_decref(answer);
	puts("done");
	return EXIT_SUCCESS;
}

/* ---- inspect, in words */

static const char *when(int64_t time_ms, char text[32])
{
	time_t seconds = time_ms / MX_SECOND_MS;
	struct tm tm;

	if (time_ms <= 0)
		return "never";
	gmtime_r(&seconds, &tm);
	strftime(text, 32, "%Y-%m-%d %H:%M:%S UTC", &tm);
	return text;
}

static void print_version(const json_t *version)
{
	char a[32], b[32], c[32];
	json_t *key;
	size_t i;

	printf("keys %lld%s\n  valid until %s, first seen %s, last seen %s\n",
	       (long long)jint(version, "number", 0),
	       jbool(version, "served", true) ? "" : " (not served: pinned to others)",
	       when(jint(version, "valid_until_ts", 0), a),
	       when(jint(version, "first_seen_ts", 0), b),
	       when(jint(version, "last_seen_ts", 0), c));
	printf("  renewed %lld times, from %s %s\n", (long long)jint(version, "renewals", 1) - 1,
	       jstr_or(version, "source", "?"), jstr_or(version, "address", ""));
	if (jstr(version, "certificate_sha256"))
		printf("  certificate SHA-256 %s\n", jstr(version, "certificate_sha256"));
	json_array_foreach (jarr(version, "keys"), i, key) {
		printf("  %-20s %s", jstr(key, "id"), jstr(key, "public_key"));
		if (jint(key, "expired_ts", 0))
			printf(" (old, expired %s)", when(jint(key, "expired_ts", 0), a));
		puts(jbool(key, "compromised", false) ? " COMPROMISED" : "");
	}
}

static void print_conflict(const json_t *conflict)
{
	char a[32], b[32];

	printf("CONFLICT %s of %s: kept %s, refused %s, %lld times from %s to %s\n",
	       jstr(conflict, "key_id"), jstr(conflict, "server"), jstr(conflict, "kept"),
	       jstr(conflict, "refused"), (long long)jint(conflict, "count", 0),
	       when(jint(conflict, "first_seen_ts", 0), a),
	       when(jint(conflict, "last_seen_ts", 0), b));
}

static void print_fetch(const json_t *fetch)
{
	char a[32], b[32];

	if (!fetch)
		return;
	printf("asked %s, answered %s, failures in a row %lld\n",
	       when(jint(fetch, "last_try_ts", 0), a), when(jint(fetch, "last_success_ts", 0), b),
	       (long long)jint(fetch, "failures", 0));
	if (jint(fetch, "failures", 0))
		printf("  last failure: %s %s; left alone until %s\n",
		       jstr_or(fetch, "last_result", ""), jstr_or(fetch, "last_error", ""),
		       when(jint(fetch, "backed_off_until_ts", 0), a));
}

static void print_decision(const json_t *shown)
{
	const json_t *decision = jobj(shown, "decision");
	char since[32];
	json_t *pin;
	size_t i;

	if (!jbool(shown, "allowed", true))
		puts("DENIED: neither asked nor served");
	if (!decision)
		return;
	printf("decided %s: %s\n", when(jint(decision, "since_ts", 0), since),
	       jstr_or(decision, "reason", ""));
	json_array_foreach (jarr(decision, "pins"), i, pin)
		printf("  pinned to %s %s\n", jstr(pin, "key_id"), jstr(pin, "public_key"));
}

static int print_server(json_t *shown)
{
	json_t *item;
	size_t i;

	if (!shown)
		return EXIT_FAILURE;
	if (jstr(shown, "result"))
		printf("fetch: %s\n", jstr(shown, "result"));
	print_decision(shown);
	json_array_foreach (jarr(shown, "versions"), i, item)
		print_version(item);
	if (json_array_size(jarr(shown, "versions")) == 0)
		puts("no keys known");
	json_array_foreach (jarr(shown, "conflicts"), i, item)
		print_conflict(item);
	print_fetch(jobj(shown, "fetch"));
	json_decref(shown);
	return EXIT_SUCCESS;
}

/* ---- the commands */

static int show_server(const void *conf, const char *method, const char *rest, int argc,
		       char **argv)
{
	bool as_json = argc == 3 && streq(argv[1], "--json");
	mx_autofree char *path = NULL;
	json_t *shown;

	if (argc != 2 && !as_json)
		return command_usage(streq(method, "GET") ? "inspect [--json] SERVER"
							  : "refetch [--json] SERVER");
	path = server_path(argv[argc - 1], rest);
	shown = command_ask(conf, method, path, NULL);
	return as_json ? print_json(shown) : print_server(shown);
}

static int command_inspect(const void *conf, int argc, char **argv)
{
	return show_server(conf, "GET", "", argc, argv);
}

static int command_refetch(const void *conf, int argc, char **argv)
{
	return show_server(conf, "POST", "/refetch", argc, argv);
}

static int command_verify(const void *conf, int argc, char **argv)
{
	mx_autofree char *path = NULL;

	if (argc != 2)
		return command_usage("verify SERVER");
	path = server_path(argv[1], "/verify");
	return print_json(command_ask(conf, "POST", path, NULL));
}

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
	mx_autofree char *path = NULL;
	json_auto_t *body = NULL;
	int64_t number;

	if (argc != 3 && argc != 4)
		return command_usage("purge SERVER REASON [NUMBER]");
	body = json_pack("{s:s}", "reason", argv[2]);
	if (argc == 4) {
		if (!mx_parse_i64(mx_slice(argv[3]), &number))
			return command_usage("purge SERVER REASON [NUMBER]");
		json_object_set_new(body, "number", json_integer(number));
	}
	path = server_path(argv[1], "/purge");
	return print_json(command_ask(conf, "POST", path, body));
}

static int prefetch_file(const void *conf, const char *name)
{
	int status = EXIT_SUCCESS;
	char line[512];
	FILE *file = fopen(name, "re");

	if (!file) {
		perror(name);
		return EXIT_FAILURE;
	}
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, " \t#\r\n")] = '\0';
		if (line[0] && tell(conf, "POST", line, "/prefetch", NULL) != EXIT_SUCCESS)
			status = EXIT_FAILURE;
	}
	fclose(file);
	return status;
}

static int command_prefetch(const void *conf, int argc, char **argv)
{
	int status = EXIT_SUCCESS;

	if (argc < 2)
		return command_usage("prefetch SERVER… | prefetch --file FILE");
	if (argc == 3 && streq(argv[1], "--file"))
		return prefetch_file(conf, argv[2]);
	for (int i = 1; i < argc; i++)
		if (tell(conf, "POST", argv[i], "/prefetch", NULL) != EXIT_SUCCESS)
			status = EXIT_FAILURE;
	return status;
}

static int command_conflicts(const void *conf, int argc, char **argv)
{
	json_auto_t *answer = NULL;
	json_t *conflict;
	size_t i;

	(void)argv;
	if (argc != 1)
		return command_usage("conflicts");
	answer = command_ask(conf, "GET", "/admin/v1/conflicts", NULL);
	if (!answer)
		return EXIT_FAILURE;
	json_array_foreach (jarr(answer, "conflicts"), i, conflict)
		print_conflict(conflict);
	return EXIT_SUCCESS;
}

static int command_overview(const void *conf, int argc, char **argv)
{
	(void)argv;
	if (argc != 1)
		return command_usage("overview");
	return print_json(command_ask(conf, "GET", "/admin/v1/overview", NULL));
}

const struct daemon_command notary_commands[] = {
	{ "overview", "", "what the notary knows, and slow and failing servers", true,
	  command_overview },
	{ "inspect", "[--json] SERVER", "key history, fetches and decisions of a server", true,
	  command_inspect },
	{ "refetch", "[--json] SERVER", "ask a server now, whatever its back-off", true,
	  command_refetch },
	{ "verify", "SERVER", "how a server is found, step by step", true, command_verify },
	{ "deny", "SERVER REASON", "neither ask nor serve a server", true, command_deny },
	{ "undeny", "SERVER", "take a denial back", true, command_undeny },
	{ "pin", "SERVER KEY_ID PUBLIC_KEY REASON", "serve only key sets with this key", true,
	  command_pin },
	{ "unpin", "SERVER", "remove all pins of a server", true, command_unpin },
	{ "purge", "SERVER REASON [NUMBER]", "remove a server's history, or one set of keys", true,
	  command_purge },
	{ "prefetch", "SERVER… | --file FILE", "keep servers fresh whether asked for or not", true,
	  command_prefetch },
	{ "conflicts", "", "key ids that reappeared with other bytes", true, command_conflicts },
	{ "import", "KIND SOURCE", "verify and take over keys: synapse, key-server, trinity", true,
	  command_import },
	{ "export", "", "the whole history, a JSON object a line", true, command_export },
	{ "key", "list | generate FILE | import FILE | rotate", "the notary's own keys", true,
	  command_key },
	{ 0 },
};
