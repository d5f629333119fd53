/* Any service that answers as ma1sd's "REST" identity stores do: a POST of
 * {"lookup": [{"medium", "address"}, …]} gives the same list with an "id" for those it knows. */
#include "identity/source/source_kind.h"
#include "identity/source/user_template.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/base64.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/id/mxid.h"
#include "shared/json/json.h"
#include "shared/json/scan.h"
#include "shared/net/net.h"

#include <sodium.h>

#define ASK_ONCE  500 /* addresses of one request */
#define REPLY_MAX (1024 * 1024)
#define NODES_MAX (12 * ASK_ONCE)

struct source_http {
	const struct source_conf *conf;
	struct net *net; /* of its own: its exceptions are nobody else's */
	char *authorization; /* a header; NULL without a password */
};

/* ---- the answer */

static const char *user_of(const struct source_http *http, const json_t *id, struct mx_arena *mem)
{
	const char *type = jstr(id, "type"), *value = jstr(id, "value");

	if (!type || !value)
		return NULL;
	if (streq(type, "mxid"))
		return user_template_fill("{id}", mx_slice(value), mem);
	if (streq(type, "localpart"))
		return user_template_fill(http->conf->user_id, mx_slice(value), mem);
	return NULL;
}

static void take_item(const struct source_http *http, const struct source_question *question,
		      const json_t *item)
{
	const struct threepid as_written = { jstr(item, "medium"), jstr(item, "address") };
	const char *user_id = user_of(http, jobj(item, "id"), question->mem);

	if (as_written.medium && as_written.address && user_id)
		source_answer(question, &as_written, user_id);
}

/* {} is the answer of a service that knows nobody. */
static int read_answer(const struct source_http *http, const struct source_question *question,
		       struct mx_slice body, struct mx_error *err)
{
	const struct mx_json_limits limits = { .bytes = REPLY_MAX, .nodes = NODES_MAX, .depth = 8 };
	const json_t *items;
	json_t *answer = NULL;
	size_t i;
	json_t *item;
	int rc = mx_json_parse(body, &limits, question->mem, &answer, NULL);

	if (rc || !json_is_object(answer))
		rc = mx_fail(err, MX_REMOTE_FAILED, "its answer is no JSON object");
	items = rc ? NULL : json_object_get(answer, "lookup");
	json_array_foreach ((json_t *)(uintptr_t)items, i, item) {
		take_item(http, question, item);
	}
	json_decref(answer);
	return rc;
}

/* ---- asking */

static char *body_of(const struct source_question *question)
{
	json_t *items = json_array(), *body = json_pack("{s:o}", "lookup", items);
	char *text;

	for (size_t i = 0; i < question->len; i++)
		json_array_append_new(items, json_pack("{s:s, s:s}", "medium",
						       question->threepids[i].medium, "address",
						       question->threepids[i].address));
	text = mx_json_text(body);
	json_decref(body);
	return text;
}

static int check_answer(const struct net_response *response, struct mx_error *err)
{
	if (response->rc)
		return mx_fail(err, (enum mx_code) - response->rc, "%s", response->err.text);
	if (response->status != 200)
		return mx_fail(err, MX_REMOTE_FAILED, "it answered with status %d",
			       response->status);
	return 0;
}

static int ask(void *state, const struct source_question *question, struct mx_error *err)
{
	const struct source_http *http = state;
	const char *const headers[] = { "Content-Type: application/json", http->authorization,
					NULL };
	mx_autofree char *body = body_of(question);
	const struct net_request request = {
		.method = "POST",
		.url = http->conf->url,
		.headers = headers,
		.body = mx_slice(body),
		.max_bytes = REPLY_MAX,
		.connect_ms = question->until_mono_ms - mx_mono_ms(),
		.total_ms = question->until_mono_ms - mx_mono_ms(),
	};
	struct net_response response;
	int rc;

	if (request.total_ms <= 0)
		return mx_fail(err, MX_REMOTE_TIMEOUT, "it did not answer in time");
	net_fetch(http->net, &request, question->mem, &response);
	rc = check_answer(&response, err);
	return rc ? rc : read_answer(http, question, response.body, err);
}

/* ---- life */

/* Spec: RFC 7617. */
static char *basic_authorization(const char *user, const char *secret)
{
	mx_autofree char *plain = mx_strf("%s:%s", user, secret);
	mx_str_auto encoded = { 0 };
	char *header;

	mx_base64_add(&encoded, plain, strlen(plain));
	while (encoded.len % 4)
		mx_str_add_char(&encoded, '=');
	header = mx_strf("Authorization: Basic %s", encoded.ptr);
	sodium_memzero(encoded.ptr, encoded.len);
	sodium_memzero(plain, strlen(plain));
	return header;
}

static void close_http(void *state)
{
	struct source_http *http = state;

	net_free(http->net);
	if (http->authorization)
		sodium_memzero(http->authorization, strlen(http->authorization));
	mx_free(http->authorization);
	mx_free(http);
}

static int open_http(const struct source_setup *setup, void **ret_state, struct mx_error *err)
{
	const struct source_conf *conf = setup->conf;
	struct source_http *http = mx_calloc(1, sizeof(*http));
	const char **allow = mx_calloc(conf->allow_count + 1u, sizeof(*allow));
	const struct net_conf net = {
		.allow = allow,
		.dns_servers = setup->dns_servers,
		.ca_file = setup->ca_file,
		.transfers_max = conf->connections,
		.per_address_max = conf->connections,
		.user_agent = "Trinity/" TRINITY_VERSION,
	};
	int rc;

	for (unsigned i = 0; i < conf->allow_count; i++)
		allow[i] = conf->allow[i];
	http->conf = conf;
	if (setup->secret)
		http->authorization = basic_authorization(conf->user, setup->secret);
	rc = net_new(&net, &http->net, err);
	mx_free(allow);
	if (rc) {
		close_http(http);
		return rc;
	}
	*ret_state = http;
	return 0;
}

const struct source_kind source_http = {
	.open = open_http,
	.close = close_http,
	.ask_once = ASK_ONCE,
	.ask = ask,
};
