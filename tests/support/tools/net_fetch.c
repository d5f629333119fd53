/* The outbound client as a command, for the functional tests:
 *
 *   net_fetch [options] --url URL | --server NAME TARGET | --trace NAME | --stdin
 *
 * prints one JSON object. With --stdin it reads one JSON object a line ({"id": any, "url" or
 * "server" and "target" or "trace", "method", "headers", "body", "max_bytes", "connect_ms",
 * "total_ms", "redirects"}), starts all requests at once, and prints answers as they come. */
#include "shared/core/alloc.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/json/json.h"
#include "shared/net/discover.h"
#include "shared/net/net.h"

#include <getopt.h>
#include <pthread.h>
#include <stdio.h>

#define LIST_MAX 64

struct options {
	const char *allow[LIST_MAX + 1], *deny[LIST_MAX + 1];
	size_t allow_len, deny_len;
	uint16_t low_ports[LIST_MAX + 1];
	size_t low_ports_len;
	struct net_conf conf;
	json_t *request;
	bool from_stdin;
};

static pthread_mutex_t output_lock = PTHREAD_MUTEX_INITIALIZER;

static void print_json(json_t *json)
{
	pthread_mutex_lock(&output_lock);
	json_dumpf(json, stdout, JSON_COMPACT);
	putchar('\n');
	fflush(stdout);
	pthread_mutex_unlock(&output_lock);
	json_decref(json);
}

static void answered(void *ctx, const struct net_response *response)
{
	json_t *id = ctx;
	const char *rc = mx_errc((enum mx_code) - response->rc)->name;
	json_t *body = json_stringn(response->body.ptr ? response->body.ptr : "",
				    response->body.len);

	print_json(json_pack("{s:o, s:s, s:s, s:i, s:I, s:o*, s:s*, s:s, s:s, s:I, s:b, s:I}", "id",
			     id, "rc", response->rc ? rc : "OK", "error", response->err.text,
			     "status", response->status, "length", (json_int_t)response->body.len,
			     "body", body, "content_type", response->content_type, "address",
			     response->address, "certificate_sha256", response->certificate_sha256,
			     "took_ms", (json_int_t)response->took_ms, "sent", response->sent,
			     "retry_after_ms", (json_int_t)response->retry_after_ms));
}

static json_t *id_of(const json_t *request)
{
	json_t *id = json_object_get(request, "id");

	return id ? json_incref(id) : json_null();
}

static void start(struct net *net, const json_t *json)
{
	const char *headers[LIST_MAX + 1] = { NULL };
	const json_t *list = jarr(json, "headers");
	struct net_request request = {
		.method = jstr(json, "method"),
		.url = jstr(json, "url"),
		.server = jstr(json, "server"),
		.target = jstr(json, "target"),
		.headers = headers,
		.body = jslice(json, "body"),
		.max_bytes = (size_t)jint(json, "max_bytes", 0),
		.connect_ms = jint(json, "connect_ms", 0),
		.total_ms = jint(json, "total_ms", 0),
		.redirects = (unsigned)jint(json, "redirects", 0),
	};

	for (size_t i = 0; i < json_array_size(list) && i < LIST_MAX; i++)
		headers[i] = json_string_value(json_array_get(list, i));
	net_start(net, &request, answered, id_of(json));
}

static void handle(struct net *net, const json_t *json)
{
	const char *name = jstr(json, "trace");
	json_t *trace;

	if (!name) {
		start(net, json);
		return;
	}
	trace = net_discover_trace(net, name, jint(json, "total_ms", 8000));
	json_object_set_new(trace, "id", id_of(json));
	print_json(trace);
}

static void read_requests(struct net *net)
{
	char *line = NULL;
	size_t cap = 0;

	while (getline(&line, &cap, stdin) > 0) {
		json_t *json = json_loads(line, 0, NULL);

		if (json)
			handle(net, json);
		else
			fprintf(stderr, "net_fetch: not JSON: %s", line);
		json_decref(json);
	}
	free(line);
}

/* One request: wait for its answer; net_free() would cut it off. */
struct single {
	pthread_mutex_t lock;
	pthread_cond_t ended;
	bool done;
};

static struct single single = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false };

static void single_answered(void *ctx, const struct net_response *response)
{
	answered(ctx, response);
	pthread_mutex_lock(&single.lock);
	single.done = true;
	pthread_cond_signal(&single.ended);
	pthread_mutex_unlock(&single.lock);
}

static void fetch_one(struct net *net, const json_t *json)
{
	const struct net_request request = { .url = jstr(json, "url"),
					     .server = jstr(json, "server"),
					     .target = jstr(json, "target") };

	if (jstr(json, "trace")) {
		handle(net, json);
		return;
	}
	net_start(net, &request, single_answered, json_null());
	pthread_mutex_lock(&single.lock);
	while (!single.done)
		pthread_cond_wait(&single.ended, &single.lock);
	pthread_mutex_unlock(&single.lock);
}

enum {
	OPT_ALLOW,
	OPT_DENY,
	OPT_DNS,
	OPT_CA,
	OPT_TRANSFERS,
	OPT_PER_ADDRESS,
	OPT_LOW_PORT,
	OPT_WELLKNOWN_PORT,
	OPT_WELLKNOWN_MIN,
	OPT_WELLKNOWN_MAX,
	OPT_SERVER,
	OPT_URL,
	OPT_TRACE,
	OPT_STDIN,
};

static const struct option long_options[] = {
	{ "allow", required_argument, NULL, OPT_ALLOW },
	{ "deny", required_argument, NULL, OPT_DENY },
	{ "dns", required_argument, NULL, OPT_DNS },
	{ "ca", required_argument, NULL, OPT_CA },
	{ "transfers", required_argument, NULL, OPT_TRANSFERS },
	{ "per-address", required_argument, NULL, OPT_PER_ADDRESS },
	{ "low-port", required_argument, NULL, OPT_LOW_PORT },
	{ "wellknown-port", required_argument, NULL, OPT_WELLKNOWN_PORT },
	{ "wellknown-min", required_argument, NULL, OPT_WELLKNOWN_MIN },
	{ "wellknown-max", required_argument, NULL, OPT_WELLKNOWN_MAX },
	{ "server", required_argument, NULL, OPT_SERVER },
	{ "url", required_argument, NULL, OPT_URL },
	{ "trace", required_argument, NULL, OPT_TRACE },
	{ "stdin", no_argument, NULL, OPT_STDIN },
	{ 0 },
};

static int64_t number(const char *text)
{
	int64_t value = 0;

	if (!mx_parse_i64(mx_slice(text), &value)) {
		fprintf(stderr, "net_fetch: %s is no number\n", text);
		exit(2);
	}
	return value;
}

static void list_add(const char **list, size_t *len, const char *text)
{
	if (*len < LIST_MAX)
		list[(*len)++] = text;
}

static bool option_limit(struct options *options, int option, const char *text)
{
	struct net_conf *conf = &options->conf;

	switch (option) {
	case OPT_TRANSFERS: conf->transfers_max = (unsigned)number(text); return true;
	case OPT_PER_ADDRESS: conf->per_address_max = (unsigned)number(text); return true;
	case OPT_WELLKNOWN_PORT: conf->wellknown_port = (uint16_t)number(text); return true;
	case OPT_WELLKNOWN_MIN: conf->wellknown_min_ms = number(text); return true;
	case OPT_WELLKNOWN_MAX: conf->wellknown_max_ms = number(text); return true;
	case OPT_LOW_PORT:
		if (options->low_ports_len < LIST_MAX)
			options->low_ports[options->low_ports_len++] = (uint16_t)number(text);
		return true;
	default: return false;
	}
}

static bool option_read(struct options *options, int option, const char *text)
{
	switch (option) {
	case OPT_ALLOW: list_add(options->allow, &options->allow_len, text); return true;
	case OPT_DENY: list_add(options->deny, &options->deny_len, text); return true;
	case OPT_DNS: options->conf.dns_servers = text; return true;
	case OPT_CA: options->conf.ca_file = text; return true;
	case OPT_URL: options->request = json_pack("{s:s}", "url", text); return true;
	case OPT_SERVER: options->request = json_pack("{s:s}", "server", text); return true;
	case OPT_TRACE: options->request = json_pack("{s:s}", "trace", text); return true;
	case OPT_STDIN: options->from_stdin = true; return true;
	default: return option_limit(options, option, text);
	}
}

static bool options_read(int argc, char **argv, struct options *options)
{
	int option;

	while ((option = getopt_long(argc, argv, "", long_options, NULL)) >= 0)
		if (!option_read(options, option, optarg))
			return false;
	if (jstr(options->request, "server") && optind < argc)
		json_object_set_new(options->request, "target", json_string(argv[optind]));
	options->conf.allow = options->allow;
	options->conf.deny = options->deny;
	options->conf.low_ports = options->low_ports;
	return options->request || options->from_stdin;
}

int main(int argc, char **argv)
{
	struct options options = { 0 };
	struct mx_error err = { 0 };
	struct net *net;

	if (!options_read(argc, argv, &options)) {
		fprintf(stderr, "usage: net_fetch [options] --url URL | --server NAME TARGET | "
				"--trace NAME | --stdin\n");
		return 2;
	}
	if (net_new(&options.conf, &net, &err)) {
		fprintf(stderr, "net_fetch: %s\n", err.text);
		return 1;
	}
	if (options.from_stdin)
		read_requests(net);
	else
		fetch_one(net, options.request);
	net_free(net);
	json_decref(options.request);
	return 0;
}
