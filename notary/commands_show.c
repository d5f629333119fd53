/* trinity-notary inspect and its like: what the daemon knows, in words. */
#include "notary/commands.h"
#include "shared/core/alloc.h"
#include "shared/core/str.h"
#include "shared/daemon/console.h"
#include "shared/json/json.h"

#include <stdio.h>

/* ---- words */

static long long number(const json_t *object, const char *key)
{
	return (long long)jint(object, key, 0);
}

/* ---- a server */

static void print_key(const json_t *key)
{
	char expired[32];

	printf("  %-20s %s", console_word(key, "id"), console_word(key, "public_key"));
	if (jint(key, "expired_ts", 0))
		printf(" (old, expired %s)", console_when(jint(key, "expired_ts", 0), expired));
	puts(jbool(key, "compromised", false) ? " COMPROMISED" : "");
}

static void print_version(const json_t *version)
{
	char a[32], b[32], c[32];
	json_t *key;
	size_t i;

	printf("keys %lld%s\n  valid until %s\n  first seen %s, last seen %s\n",
	       number(version, "number"),
	       jbool(version, "served", true) ? "" : " (not served: pinned to others)",
	       console_when(jint(version, "valid_until_ts", 0), a),
	       console_when(jint(version, "first_seen_ts", 0), b),
	       console_when(jint(version, "last_seen_ts", 0), c));
	printf("  from %s%s%s, renewed %lld times\n", console_word(version, "source"),
	       *console_word(version, "address") ? " " : "", console_word(version, "address"),
	       number(version, "renewals") - 1);
	if (jstr(version, "certificate_sha256"))
		printf("  certificate SHA-256 %s\n", console_word(version, "certificate_sha256"));
	json_array_foreach (jarr(version, "keys"), i, key)
		print_key(key);
}

static void print_conflict(const json_t *conflict)
{
	char a[32], b[32];

	printf("CONFLICT %s of %s: kept %s, refused %s, %lld times from %s to %s\n",
	       console_word(conflict, "key_id"), console_word(conflict, "server"),
	       console_word(conflict, "kept"), console_word(conflict, "refused"),
	       number(conflict, "count"), console_when(jint(conflict, "first_seen_ts", 0), a),
	       console_when(jint(conflict, "last_seen_ts", 0), b));
}

static void print_fetch(const json_t *fetch)
{
	char a[32], b[32];

	if (!fetch)
		return;
	printf("asked %s, answered %s, failures in a row %lld\n",
	       console_when(jint(fetch, "last_try_ts", 0), a),
	       console_when(jint(fetch, "last_success_ts", 0), b), number(fetch, "failures"));
	if (jint(fetch, "failures", 0))
		printf("  last failure: %s %s; left alone until %s\n",
		       console_word(fetch, "last_result"), console_word(fetch, "last_error"),
		       console_when(jint(fetch, "backed_off_until_ts", 0), a));
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
	printf("decided %s: %s\n", console_when(jint(decision, "since_ts", 0), since),
	       console_word(decision, "reason"));
	json_array_foreach (jarr(decision, "pins"), i, pin)
		printf("  pinned to %s %s\n", console_word(pin, "key_id"),
		       console_word(pin, "public_key"));
}

static void print_server(const json_t *shown)
{
	json_t *item;
	size_t i;

	if (jstr(shown, "result"))
		printf("asked for its keys: %s\n", console_word(shown, "result"));
	print_decision(shown);
	json_array_foreach (jarr(shown, "versions"), i, item)
		print_version(item);
	if (json_array_size(jarr(shown, "versions")) == 0)
		puts("no keys known");
	json_array_foreach (jarr(shown, "conflicts"), i, item)
		print_conflict(item);
	print_fetch(jobj(shown, "fetch"));
}

static json_t *ask_about(const void *conf, const char *method, const char *server, const char *rest)
{
	mx_autofree char *path = command_server_path(server, rest);

	return command_ask(conf, method, path, NULL);
}

/* argv: [--json] SERVER */
static bool reads_server(int argc, char **argv, bool *ret_as_json)
{
	*ret_as_json = argc == 3 && streq(argv[1], "--json");
	return *ret_as_json || (argc == 2 && !mx_starts_with(argv[1], "--"));
}

int command_inspect(const void *conf, int argc, char **argv)
{
	json_auto_t *shown = NULL;
	bool as_json;

	if (!reads_server(argc, argv, &as_json))
		return command_usage("inspect [--json] SERVER");
	shown = ask_about(conf, "GET", argv[argc - 1], "");
	if (!shown)
		return EXIT_FAILURE;
	if (as_json)
		return console_print_json(shown);
	print_server(shown);
	return EXIT_SUCCESS;
}

/* Nobody should take the old keys that are shown for an answer. */
static int fetch_status(const json_t *shown)
{
	return streq(jstr(shown, "result"), "OK") ? EXIT_SUCCESS : EXIT_FAILURE;
}

int command_refetch(const void *conf, int argc, char **argv)
{
	json_auto_t *shown = NULL;
	bool as_json;

	if (!reads_server(argc, argv, &as_json))
		return command_usage("refetch [--json] SERVER");
	shown = ask_about(conf, "POST", argv[argc - 1], "/refetch");
	if (!shown)
		return EXIT_FAILURE;
	if (as_json)
		console_print_json(shown);
	else
		print_server(shown);
	return fetch_status(shown);
}

/* ---- how a server is found, and what it says */

static void print_discovery(const json_t *trace)
{
	json_t *item;
	size_t i;

	puts("how it is found:");
	json_array_foreach (jarr(trace, "steps"), i, item)
		printf("  %zu. %s: %s\n", i + 1, console_word(item, "what"),
		       console_word(item, "result"));
	if (jstr(trace, "error")) {
		printf("  not found: %s\n", console_word(trace, "error"));
		return;
	}
	printf("  asked as %s, port %lld, with a certificate for %s\n", console_word(trace, "host"),
	       number(trace, "port"), console_word(trace, "tls_name"));
	json_array_foreach (jarr(trace, "addresses"), i, item)
		printf("  at %s\n", json_string_value(item));
}

int command_verify(const void *conf, int argc, char **argv)
{
	json_auto_t *trace = NULL, *shown = NULL, *both = NULL;
	bool as_json;

	if (!reads_server(argc, argv, &as_json))
		return command_usage("verify [--json] SERVER");
	trace = ask_about(conf, "POST", argv[argc - 1], "/verify");
	if (trace)
		shown = ask_about(conf, "POST", argv[argc - 1], "/refetch");
	if (!shown)
		return EXIT_FAILURE;
	both = json_pack("{s:O, s:O}", "discovery", trace, "server", shown);
	if (as_json) {
		console_print_json(both);
		return fetch_status(shown);
	}
	print_discovery(trace);
	print_server(shown);
	return fetch_status(shown);
}

/* ---- lists */

static void print_audit(const json_t *row)
{
	char at[32];

	printf("%s %s %s: %s\n", console_when(jint(row, "at_ts", 0), at), console_word(row, "what"),
	       console_word(row, "server"), console_word(row, "reason"));
}

static int print_list(const void *conf, const char *path, const char *key,
		      void (*print)(const json_t *row))
{
	json_auto_t *answer = command_ask(conf, "GET", path, NULL);
	json_t *row;
	size_t i;

	if (!answer)
		return EXIT_FAILURE;
	if (json_array_size(jarr(answer, key)) == 0)
		fprintf(stderr, "There is nothing to show.\n"); /* scripts read nothing */
	json_array_foreach (jarr(answer, key), i, row)
		print(row);
	return EXIT_SUCCESS;
}

int command_conflicts(const void *conf, int argc, char **argv)
{
	(void)argv;
	if (argc != 1)
		return command_usage("conflicts");
	return print_list(conf, "/admin/v1/conflicts", "conflicts", print_conflict);
}

int command_audit(const void *conf, int argc, char **argv)
{
	(void)argv;
	if (argc != 1)
		return command_usage("audit");
	return print_list(conf, "/admin/v1/audit", "audit", print_audit);
}

int command_overview(const void *conf, int argc, char **argv)
{
	json_auto_t *overview = NULL;

	(void)argv;
	if (argc != 1)
		return command_usage("overview");
	overview = command_ask(conf, "GET", "/admin/v1/overview", NULL);
	return overview ? console_print_json(overview) : EXIT_FAILURE;
}
