#include "homeserver/event/event_hash.h"

#include "homeserver/event/event_bytes.h"
#include "homeserver/event/event_redact.h"
#include "homeserver/event/room_version.h"
#include "shared/core/arena.h"
#include "shared/core/base64.h"
#include "shared/core/str.h"
#include "shared/crypto/sha256.h"
#include "shared/json/member.h"

static const char *const not_content[] = { "signatures", "hashes", NULL };
static const char *const not_reference[] = { "signatures", NULL };

/* The event's bytes are canonical: to leave out members is to copy the others. */
static void copy_without(const struct event *event, const char *const *without, struct mx_str *out)
{
	const struct mx_json_doc *doc = &event->doc;

	mx_str_reserve(out, event->json.len);
	mx_str_add_char(out, '{');
	for (uint32_t key = mx_json_first(doc, 0); key < mx_json_end(doc, 0);
	     key = mx_json_next(doc, key + 1)) {
		if (!mx_member_is_listed(without, event_key(event, key)))
			event_add_member(event, key, out);
	}
	mx_str_add_char(out, '}');
}

void event_content_hash(const struct event *event, uint8_t ret_hash[32])
{
	mx_str_auto bytes = { 0 };

	copy_without(event, not_content, &bytes);
	mx_sha256(mx_str_slice(&bytes), ret_hash);
}

bool event_hash_matches(const struct event *event)
{
	uint32_t hashes = mx_json_member(&event->doc, 0, "hashes");
	uint32_t node = hashes ? mx_json_member(&event->doc, hashes, "sha256") : 0;
	uint8_t stated[32], hash[32];

	if (!node || mx_json_type(&event->doc, node) != MX_JSON_STRING ||
	    event->doc.nodes[node].escaped ||
	    !mx_base64_decode_exact(mx_json_string(&event->doc, node, NULL), stated, 32))
		return false;
	event_content_hash(event, hash);
	return memcmp(stated, hash, 32) == 0;
}

void event_reference_hash(const struct event *event, uint8_t ret_hash[32])
{
	mx_str_auto bytes = { 0 };

	event_redact(event, not_reference, &bytes);
	mx_sha256(mx_str_slice(&bytes), ret_hash);
}

struct mx_slice event_id_of(const struct event *event, struct mx_arena *mem)
{
	mx_str_auto id = { 0 };
	uint8_t hash[32];

	event_reference_hash(event, hash);
	mx_str_add_char(&id, '$');
	if (event->version->event_ids == EVENT_ID_HASH)
		mx_base64_add(&id, hash, sizeof(hash));
	else
		mx_base64url_add(&id, hash, sizeof(hash));
	return mx_arena_slice(mem, mx_str_slice(&id));
}
