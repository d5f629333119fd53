/* An offer becomes an invite. Spec: server-server API, "Third-party invites". */
#include "homeserver/call.h"
#include "homeserver/directory/remote.h"
#include "homeserver/event/event_types.h"
#include "homeserver/hs.h"
#include "homeserver/member/invite_server.h"
#include "homeserver/member/member.h"
#include "homeserver/member/threepid_invite.h"
#include "homeserver/room/room_db.h"
#include "homeserver/room/state_reader.h"
#include "shared/core/arena.h"
#include "shared/core/base64.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/crypto/ed25519.h"
#include "shared/json/canonical.h"
#include "shared/json/json.h"
#include "shared/store/store.h"

#define KEYS_MAX       16
#define SIGNATURES_MAX 16

struct offer {
	json_t *content; /* of the room's m.room.third_party_invite */
	bool is_needless; /* the user is in, or invited */
};

/* ---- the room's offer */

static int find_offer(const struct hs_call *call, const struct threepid_proof *proof, uint32_t room,
		      struct offer *offer)
{
	struct room_head *head = mx_arena_alloc(call->mem, sizeof(*head));
	struct stored_event *event = mx_arena_alloc(call->mem, sizeof(*event));
	struct state_reader reader;
	enum membership now;
	struct mx_slice text;
	int rc = room_db_head(call, room, head);

	if (rc)
		return rc;
	state_reader_init(&reader, call, room);
	now = state_reader_membership(&reader, &head->state, mx_slice(proof->user_id));
	offer->is_needless = now == MEMBERSHIP_JOIN || now == MEMBERSHIP_INVITE;
	rc = state_reader_load(&reader, &head->state, TYPE_THIRD_PARTY_INVITE,
			       jslice(proof->signed_token, "token"), event);
	state_reader_done(&reader);
	if (rc == 0 && !mx_slice_is(event->event.sender, proof->sender))
		return -MX_NOT_FOUND;
	if (rc)
		return rc;
	text = mx_json_raw(&event->event.doc, event->event.content);
	offer->content = json_loadb(text.ptr, text.len, JSON_ALLOW_NUL, NULL);
	return 0;
}

static int load_offer(const struct hs_call *call, const struct threepid_proof *proof,
		      struct offer *offer, struct mx_error *err)
{
	struct hs_call looking = *call;
	uint32_t room;
	int rc;

	looking.view = store_view_begin(call->hs->store);
	rc = room_db_find(&looking, mx_slice(proof->room_id), &room);
	if (rc == 0)
		rc = find_offer(&looking, proof, room, offer);
	store_view_end(looking.view);
	if (rc == -MX_NOT_FOUND)
		return mx_fail(err, MX_FORBIDDEN, "The room has no such third-party invite");
	return rc;
}

/* ---- the key that signed */

static bool is_by(const char *key, const json_t *signature, struct mx_slice message)
{
	uint8_t public_key[MX_ED25519_PUBLIC_LEN], bytes[MX_ED25519_SIG_LEN];

	return json_is_string(signature) &&
	       mx_base64_decode_exact(mx_slice(key), public_key, sizeof(public_key)) &&
	       mx_base64_decode_exact(mx_slice(json_string_value(signature)), bytes,
				      sizeof(bytes)) &&
	       mx_ed25519_verify(public_key, message, bytes);
}

static bool signed_by(const json_t *token, const char *key, struct mx_slice message)
{
	json_t *of_server, *signature;
	const char *server, *key_id;
	unsigned looked_at = 0;

	json_object_foreach (jobj(token, "signatures"), server, of_server)
		json_object_foreach (of_server, key_id, signature)
			if (looked_at++ < SIGNATURES_MAX && is_by(key, signature, message))
				return true;
	return false;
}

/* A key that signed and is still known where the room says that it is. */
static bool has_good_key(const struct hs_call *call, const json_t *keys, const json_t *token,
			 struct mx_slice message)
{
	const json_t *item;
	const char *key, *url;
	size_t i;

	json_array_foreach (keys, i, item) {
		if (i == KEYS_MAX)
			break;
		key = jstr(item, "public_key");
		url = jstr(item, "key_validity_url");
		if (key && signed_by(token, key, message) &&
		    (!url || invite_server_knows_key(call, url, key)))
			return true;
	}
	return false;
}

static int check_proof(const struct hs_call *call, const struct threepid_proof *proof,
		       const json_t *content, struct mx_error *err)
{
	static const char *const not_signed[] = { "signatures", "unsigned", NULL };
	json_auto_t *alone = json_pack("[O]", content);
	const json_t *keys = json_object_get(content, "public_keys");
	mx_str_auto message = { 0 };

	if (mx_canonical_json(proof->signed_token, not_signed, &message, NULL))
		return mx_fail(err, MX_BAD_JSON, "That cannot have been signed");
	if (has_good_key(call, json_is_array(keys) ? keys : NULL, proof->signed_token,
			 mx_str_slice(&message)) ||
	    has_good_key(call, alone, proof->signed_token, mx_str_slice(&message)))
		return 0;
	return mx_fail(err, MX_FORBIDDEN,
		       "No key of the third-party invite that is still good signed it");
}

/* ---- the invite */

static int invite(const struct hs_call *call, const struct threepid_proof *proof,
		  const json_t *content, struct mx_error *err)
{
	json_auto_t *third_party = json_pack("{s:s, s:O}", "display_name",
					     jstr_or(content, "display_name", ""), "signed",
					     proof->signed_token);
	const struct member_change change = {
		.room_id = proof->room_id,
		.sender = proof->sender,
		.target = proof->user_id,
		.membership = MEMBERSHIP_INVITE,
		.third_party = third_party,
	};

	return member_change_now(call, &change, err);
}

int threepid_invite_exchange(const struct hs_call *call, const struct threepid_proof *proof,
			     struct mx_error *err)
{
	struct offer offer = { 0 };
	int rc;

	if (!streq(jstr(proof->signed_token, "mxid"), proof->user_id))
		return mx_fail(err, MX_FORBIDDEN, "The third-party invite is of another user");
	/* The invite is the sender's, so their server signs it. */
	if (!id_is_local(call->hs, proof->sender))
		return remote_ask(proof->sender, err);
	rc = load_offer(call, proof, &offer, err);
	if (rc == 0 && !offer.is_needless)
		rc = check_proof(call, proof, offer.content, err);
	if (rc == 0 && !offer.is_needless)
		rc = invite(call, proof, offer.content, err);
	json_decref(offer.content);
	return rc;
}
