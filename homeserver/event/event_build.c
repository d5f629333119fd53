#include "homeserver/event/event_build.h"

#include "homeserver/event/event_hash.h"
#include "homeserver/event/event_sign.h"
#include "homeserver/event/room_version.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/base64.h"
#include "shared/core/error.h"
#include "shared/core/rand.h"
#include "shared/core/str.h"
#include "shared/crypto/ed25519.h"
#include "shared/crypto/sha256.h"
#include "shared/crypto/sign_json.h"
#include "shared/json/canonical.h"
#include "shared/json/json.h"

#define OPAQUE_LEN 18
#define EVENT_ROOM 1024 /* what most events need besides their content */

/* What is written, in three rounds: without a hash, with it, and signed. */
struct writing {
	const struct event_draft *draft;
	struct mx_slice content; /* canonical */
	struct mx_slice id; /* ptr NULL: it follows from the hash */
	const uint8_t *hash; /* of the content; NULL in the first round */
	struct mx_str *out;
};

/* ---- members, in their order */

static void add_name(struct mx_str *out, const char *name)
{
	mx_str_add_text(out, out->ptr[out->len - 1] == '{' ? "\"" : ",\"");
	mx_str_add_text(out, name);
	mx_str_add_text(out, "\":");
}

static void add_text(struct mx_str *out, const char *name, struct mx_slice text)
{
	if (!text.ptr)
		return;
	add_name(out, name);
	mx_canonical_string(out, text);
}

static void add_integer(struct mx_str *out, const char *name, int64_t value)
{
	add_name(out, name);
	mx_str_addf(out, "%lld", (long long)value);
}

static void add_hash_object(struct mx_str *out, const uint8_t hash[32])
{
	mx_str_add_text(out, "{\"sha256\":\"");
	mx_base64_add(out, hash, 32);
	mx_str_add_text(out, "\"}");
}

static void add_reference(const struct writing *w, const struct event_reference *reference)
{
	if (!w->draft->version->hashed_references) {
		mx_canonical_string(w->out, reference->id);
		return;
	}
	mx_str_add_char(w->out, '[');
	mx_canonical_string(w->out, reference->id);
	mx_str_add_char(w->out, ',');
	add_hash_object(w->out, reference->hash);
	mx_str_add_char(w->out, ']');
}

static void add_references(const struct writing *w, const char *name,
			   const struct event_reference *references, size_t len)
{
	add_name(w->out, name);
	mx_str_add_char(w->out, '[');
	for (size_t i = 0; i < len; i++) {
		if (i)
			mx_str_add_char(w->out, ',');
		add_reference(w, &references[i]);
	}
	mx_str_add_char(w->out, ']');
}

static void add_hashes(const struct writing *w)
{
	if (!w->hash)
		return;
	add_name(w->out, "hashes");
	add_hash_object(w->out, w->hash);
}

static void write_event(const struct writing *w)
{
	const struct event_draft *draft = w->draft;
	struct mx_str *out = w->out;

	mx_str_clear(out);
	mx_str_reserve(out, w->content.len + EVENT_ROOM);
	mx_str_add_char(out, '{');
	add_references(w, "auth_events", draft->auth_events, draft->auth_events_len);
	add_name(out, "content");
	mx_str_add_slice(out, w->content);
	add_integer(out, "depth", draft->depth);
	add_text(out, "event_id", w->id);
	add_hashes(w);
	add_integer(out, "origin_server_ts", draft->origin_server_ts);
	add_references(w, "prev_events", draft->prev_events, draft->prev_events_len);
	if (!draft->version->redacts_in_content)
		add_text(out, "redacts", draft->redacts);
	add_text(out, "room_id", draft->room_id);
	add_text(out, "sender", draft->sender);
	if (w->hash)
		mx_str_add_text(out, ",\"signatures\":{}");
	add_text(out, "state_key", draft->state_key);
	add_text(out, "type", draft->type);
	mx_str_add_char(out, '}');
}

/* ---- signing */

/* {"server":{"key id":"signature"}} */
static void add_signatures(const struct event *event, const char *server,
			   const struct mx_signing_key *key, struct mx_str *out)
{
	mx_str_auto bytes = { 0 };
	uint8_t signature[MX_ED25519_SIG_LEN];

	event_signed_bytes(event, &bytes);
	mx_signing_key_sign(key, mx_str_slice(&bytes), signature);
	mx_str_add_char(out, '{');
	mx_canonical_string(out, mx_slice(server));
	mx_str_add_text(out, ":{");
	mx_canonical_string(out, mx_slice(mx_signing_key_id(key)));
	mx_str_add_text(out, ":\"");
	mx_base64_add(out, signature, sizeof(signature));
	mx_str_add_text(out, "\"}}");
}

/* The event's bytes with the signature in the place of `{}`. */
static void add_signed(const struct event_draft *draft, const struct event *event,
		       struct mx_str *out)
{
	uint32_t node = mx_json_member(&event->doc, 0, "signatures");
	size_t before = event->doc.nodes[node].offset, behind = before + 2;

	mx_str_reserve(out, event->json.len + EVENT_ROOM);
	mx_str_add(out, event->json.ptr, before);
	add_signatures(event, draft->server, draft->key, out);
	mx_str_add(out, event->json.ptr + behind, event->json.len - behind);
}

/* ---- the whole */

static struct mx_slice make_id(const struct event_draft *draft, struct mx_arena *mem)
{
	char opaque[OPAQUE_LEN + 1];

	if (draft->version->event_ids != EVENT_ID_MEMBER)
		return (struct mx_slice){ 0 };
	mx_random_token(opaque, OPAQUE_LEN);
	return mx_slice(mx_arena_strf(mem, "$%s:%s", opaque, draft->server));
}

/* Spec: room versions 1 to 5 do not enforce canonical JSON: numbers with a point and large ones are
 * events there, and a tree has no canonical form of them. */
static int write_content(const struct event_draft *draft, struct mx_arena *mem, struct mx_str *out,
			 struct mx_error *err)
{
	mx_autofree char *text = NULL;
	struct mx_json_doc doc;
	int rc;

	if (draft->version->strict_json)
		return mx_canonical_json(draft->content, NULL, out, err);
	text = mx_json_text(draft->content);
	rc = mx_json_scan(mx_slice(text), &mx_json_default_limits, mem, &doc, err);
	return rc ? rc : mx_canonical_with_reals(&doc, 0, NULL, out, err);
}

/* What is left to be read of an event that was fine before it was signed: its id stays. */
static int read_signed(const struct event *event, const struct mx_str *whole, struct mx_arena *mem,
		       struct event *ret_event, struct mx_error *err)
{
	if (whole->len > EVENT_BYTES_MAX)
		return mx_fail(err, MX_TOO_LARGE, "The event is larger than %d bytes",
			       EVENT_BYTES_MAX);
	return event_read(event->version, mx_arena_slice(mem, mx_str_slice(whole)), event->id, mem,
			  ret_event);
}

int event_build(const struct event_draft *draft, struct mx_arena *mem, struct event *ret_event,
		struct mx_error *err)
{
	mx_str_auto content = { 0 }, bytes = { 0 }, whole = { 0 };
	struct writing writing = { .draft = draft, .id = make_id(draft, mem), .out = &bytes };
	struct event event;
	uint8_t hash[MX_SHA256_LEN];
	int rc = write_content(draft, mem, &content, err);

	if (rc)
		return rc;
	writing.content = mx_str_slice(&content);
	write_event(&writing);
	mx_sha256(mx_str_slice(&bytes), hash);
	writing.hash = hash;
	write_event(&writing);
	rc = event_parse(draft->version, mx_str_slice(&bytes), mem, &event, err);
	if (rc)
		return rc;
	add_signed(draft, &event, &whole);
	return read_signed(&event, &whole, mem, ret_event, err);
}

int event_countersign(const struct event *event, const char *server,
		      const struct mx_signing_key *key, struct mx_arena *mem,
		      struct event *ret_event, struct mx_error *err)
{
	mx_str_auto signed_bytes = { 0 }, whole = { 0 };
	int rc;

	event_signed_bytes(event, &signed_bytes);
	rc = mx_countersign(&event->doc, mx_str_slice(&signed_bytes), server, &key, 1, &whole, err);
	return rc ? rc : event_parse(event->version, mx_str_slice(&whole), mem, ret_event, err);
}
