/* What peers push. All of it is stored, or nothing: that is what they are used to. */
#include "identity/binding/association.h"
#include "identity/identity.h"
#include "identity/replication/peers.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/metrics.h"
#include "shared/core/str.h"
#include "shared/core/vec.h"
#include "shared/crypto/certificate_names.h"
#include "shared/http/request.h"
#include "shared/json/json.h"

#include <stdlib.h>
#include <strings.h>

#define PUSH_BYTES_MAX (1024u * 1024)
#define PUSH_ITEMS_MAX 1000

static const struct mx_json_limits limits = {
	.bytes = PUSH_BYTES_MAX, .nodes = 100000, .depth = 18, .no_reals = false
};

/* One association of a push. */
struct pushed {
	int64_t number;
	struct mx_slice text;
	struct binding binding;
	enum binding_standing standing;
};

struct push {
	const struct replication_peer_conf *peer;
	struct pushed *items;
	size_t len;
	json_t *failed_ids, *failures;
};

static const struct replication *replication_of(struct req *r)
{
	const struct identity *identity = r->app;

	return identity->replication;
}

/* ---- who */

/* Whom the certificate names, and the configuration too. */
static int find_peer(struct req *r, const struct replication_peer_conf **ret_peer)
{
	const struct replication *replication = replication_of(r);
	struct mx_slice certificate = req_certificate(r);

	for (unsigned i = 0; i < replication->conf->peers_count; i++)
		if (mx_certificate_names(certificate, replication->conf->peers[i].name)) {
			*ret_peer = &replication->conf->peers[i];
			return 0;
		}
	return -MX_UNKNOWN_PEER;
}

/* ---- what */

static int by_number(const void *a, const void *b)
{
	const struct pushed *one = a, *two = b;

	return (one->number > two->number) - (one->number < two->number);
}

static int read_items(struct req *r, const struct mx_json_doc *doc, struct push *push)
{
	uint32_t all = mx_json_member(doc, 0, "sgAssocs");

	if (!all || mx_json_type(doc, all) != MX_JSON_OBJECT)
		return mx_fail(&r->err, MX_BAD_JSON, "sgAssocs must be an object");
	if (doc->nodes[all].count > PUSH_ITEMS_MAX)
		return mx_fail(&r->err, MX_BAD_JSON, "At most %d associations at once",
			       PUSH_ITEMS_MAX);
	push->items = mx_arena_calloc(r->mem, doc->nodes[all].count + 1u, sizeof(*push->items));
	for (uint32_t i = mx_json_first(doc, all); i < mx_json_end(doc, all);) {
		struct pushed *item = &push->items[push->len++];
		struct mx_slice id = mx_json_string(doc, i, r->mem);

		if (!mx_parse_i64(id, &item->number) || item->number < 0)
			return mx_fail(&r->err, MX_BAD_JSON, "sgAssocs has keys that are no ids");
		i = mx_json_next(doc, i);
		item->text = mx_json_raw(doc, i);
		i = mx_json_next(doc, i);
	}
	/* Of several of one address, the last one of the peer's counts. */
	qsort(push->items, push->len, sizeof(*push->items), by_number);
	return 0;
}

static int read_body(struct req *r, struct push *push)
{
	const char *type = req_header(r, "Content-Type");
	struct mx_json_doc doc;

	if (!type || strncasecmp(type, "application/json", strlen("application/json")) != 0)
		return mx_fail(&r->err, MX_NOT_JSON, "This endpoint expects JSON");
	if (mx_json_scan(r->raw, &limits, r->mem, &doc, NULL))
		return mx_fail(&r->err, MX_BAD_JSON, "Malformed JSON");
	return read_items(r, &doc, push);
}

/* ---- is it true? */

/* By any of the keys that the peer is configured with. */
static int read_association(struct req *r, const struct push *push, struct pushed *item,
			    struct mx_error *err)
{
	uint8_t key[32];
	struct association_source source = { .origin = push->peer->name,
					     .public_key = key,
					     .number = (uint64_t)item->number };
	int rc = -MX_BAD_SIGNATURE;

	for (unsigned i = 0; rc == -MX_BAD_SIGNATURE && i < push->peer->public_keys_count; i++) {
		association_key(push->peer->public_keys[i], key); /* which the start has checked */
		rc = association_read(item->text, &source, r->mem, &item->binding, err);
	}
	return rc;
}

static void verify(struct req *r, struct push *push)
{
	push->failed_ids = json_array();
	push->failures = json_object();
	for (size_t i = 0; i < push->len; i++) {
		struct pushed *item = &push->items[i];
		struct mx_error err = { 0 };
		int rc = read_association(r, push, item, &err);
		const char *id = mx_arena_strf(r->mem, "%lld", (long long)item->number);

		if (rc == 0)
			continue;
		json_array_append_new(push->failed_ids, json_string(id));
		json_object_set_new(push->failures, id, json_string(mx_error_text(&err, rc)));
	}
}

static int refuse(struct req *r, struct push *push)
{
	const struct replication *replication = replication_of(r);

	mx_metric_add(replication->refused, (int64_t)json_array_size(push->failed_ids));
	r->err_fields = json_pack("{s:o, s:o}", "failed_ids", push->failed_ids, "failures",
				  push->failures);
	return mx_fail(&r->err, MX_VERIFICATION_FAILED,
		       "Verification failed for one or more associations");
}

/* ---- storing */

static int store(const struct identity_call *call, struct push *push)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < push->len; i++) {
		struct pushed *item = &push->items[i];

		rc = binding_compare(call, &item->binding, &item->standing);
		if (rc == 0 && item->standing == BINDING_NEWER)
			binding_put(call, &item->binding);
	}
	return rc;
}

/* Sydent looks at the status only; the rest is for people. */
static void reply(struct req *r, struct push *push)
{
	static const char *const words[] = {
		[BINDING_NEWER] = "stored", [BINDING_SAME] = "known", [BINDING_OLDER] = "older"
	};
	json_t *results = json_object();

	for (size_t i = 0; i < push->len; i++)
		json_object_set_new(results,
				    mx_arena_strf(r->mem, "%lld", (long long)push->items[i].number),
				    json_string(words[push->items[i].standing]));
	reply_json(r, json_pack("{s:b, s:o}", "success", true, "results", results));
}

static int post_push(struct req *r)
{
	const struct identity_call call = call_of(r);
	struct push push = { 0 };
	int rc = find_peer(r, &push.peer);

	if (rc == 0)
		rc = read_body(r, &push);
	if (rc)
		return rc;
	verify(r, &push);
	if (json_array_size(push.failed_ids))
		return refuse(r, &push);
	json_decref(push.failed_ids);
	json_decref(push.failures);
	rc = store(&call, &push);
	if (rc)
		return rc;
	mx_metric_add(replication_of(r)->received, (int64_t)push.len);
	reply(r, &push);
	return 0;
}

const struct route replication_routes[] = {
	{ POST, "/_matrix/identity/replicate/v1/push", post_push, .txn = TXN_WRITE,
	  .flags = ROUTE_RAW_BODY, .body_max = PUSH_BYTES_MAX },
	{ 0 },
};
