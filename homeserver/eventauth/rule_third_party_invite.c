/* Spec: room versions, "Authorisation rules": an invite with `third_party_invite`. */
#include "homeserver/eventauth/rule.h"

#include "homeserver/event/event.h"
#include "homeserver/event/event_types.h"
#include "shared/core/arena.h"
#include "shared/core/base64.h"
#include "shared/core/str.h"
#include "shared/crypto/ed25519.h"
#include "shared/json/canonical.h"

/* More of either is nobody's honest invite. */
#define KEYS_MAX       16
#define SIGNATURES_MAX 16

struct token_keys {
	uint8_t keys[KEYS_MAX][MX_ED25519_PUBLIC_LEN];
	size_t len;
};

static const char *const not_signed[] = { "signatures", "unsigned", NULL };

/* ---- the room's word: the keys */

static void add_key(const struct event *event, uint32_t object, struct mx_arena *mem,
		    struct token_keys *keys)
{
	uint32_t node = mx_json_member(&event->doc, object, "public_key");

	if (!node || keys->len == KEYS_MAX || mx_json_type(&event->doc, node) != MX_JSON_STRING)
		return;
	keys->len += mx_base64_decode_exact(mx_json_string(&event->doc, node, mem),
					    keys->keys[keys->len], MX_ED25519_PUBLIC_LEN);
}

static void collect_keys(const struct event *event, struct mx_arena *mem, struct token_keys *keys)
{
	const struct mx_json_doc *doc = &event->doc;
	uint32_t list = mx_json_member(doc, event->content, "public_keys");

	add_key(event, event->content, mem, keys);
	if (!list || mx_json_type(doc, list) != MX_JSON_ARRAY)
		return;
	for (uint32_t at = mx_json_first(doc, list); at < mx_json_end(doc, list);
	     at = mx_json_next(doc, at))
		add_key(event, at, mem, keys);
}

/* ---- the identity service's word: the signatures */

struct proof {
	const struct event *event;
	struct token_keys keys;
	struct mx_slice message;
	struct mx_arena *mem;
	unsigned looked_at;
};

static bool is_by_a_key(struct proof *proof, uint32_t node)
{
	uint8_t signature[MX_ED25519_SIG_LEN];

	if (mx_json_type(&proof->event->doc, node) != MX_JSON_STRING ||
	    !mx_base64_decode_exact(mx_json_string(&proof->event->doc, node, proof->mem), signature,
				    sizeof(signature)))
		return false;
	for (size_t i = 0; i < proof->keys.len; i++)
		if (mx_ed25519_verify(proof->keys.keys[i], proof->message, signature))
			return true;
	return false;
}

/* {"ed25519:0": "…"} */
static bool has_good_signature(struct proof *proof, uint32_t of_server)
{
	const struct mx_json_doc *doc = &proof->event->doc;

	if (mx_json_type(doc, of_server) != MX_JSON_OBJECT)
		return false;
	for (uint32_t key = mx_json_first(doc, of_server); key < mx_json_end(doc, of_server);
	     key = mx_json_next(doc, key + 1))
		if (proof->looked_at++ < SIGNATURES_MAX && is_by_a_key(proof, key + 1))
			return true;
	return false;
}

static bool is_signed(struct proof *proof, uint32_t object)
{
	const struct mx_json_doc *doc = &proof->event->doc;
	uint32_t signatures = mx_json_member(doc, object, "signatures");
	mx_str_auto message = { 0 };

	if (!signatures || mx_json_type(doc, signatures) != MX_JSON_OBJECT ||
	    mx_canonical(doc, object, not_signed, &message, NULL))
		return false;
	proof->message = mx_str_slice(&message);
	for (uint32_t server = mx_json_first(doc, signatures);
	     server < mx_json_end(doc, signatures); server = mx_json_next(doc, server + 1))
		if (has_good_signature(proof, server + 1))
			return true;
	return false;
}

/* ---- the rule */

static struct mx_slice text_of(const struct auth_check *check, uint32_t object, const char *key)
{
	const struct mx_json_doc *doc = &check->event->doc;
	uint32_t node = mx_json_member(doc, object, key);

	if (!node || mx_json_type(doc, node) != MX_JSON_STRING)
		return (struct mx_slice){ 0 };
	return mx_json_string(doc, node, check->mem);
}

int rule_third_party_invite(const struct auth_check *check, uint32_t invite)
{
	const struct event *event = check->event, *offer;
	uint32_t object = mx_json_member(&event->doc, invite, "signed");
	struct proof proof = { .event = event, .mem = check->mem };
	struct mx_slice user_id, token;

	if (!object)
		return rule_reject(check, "The third-party invite is not signed");
	user_id = text_of(check, object, "mxid");
	token = text_of(check, object, "token");
	if (!user_id.ptr || !token.ptr)
		return rule_reject(check, "The third-party invite has no user or no token");
	if (!mx_slice_eq(user_id, event->state_key))
		return rule_reject(check, "The third-party invite is of another user");
	offer = rule_state(check, TYPE_THIRD_PARTY_INVITE, token);
	if (!offer)
		return rule_reject(check, "The room knows no third-party invite with this token");
	if (!mx_slice_eq(offer->sender, event->sender))
		return rule_reject(check, "The third-party invite is of another sender");
	collect_keys(offer, check->mem, &proof.keys);
	if (is_signed(&proof, object))
		return 0;
	return rule_reject(check, "No signature of the third-party invite is by its keys");
}
