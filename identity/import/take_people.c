/* Accounts, tokens, consents, sessions and invites that are taken over. */
#include "identity/account/account_db.h"
#include "identity/account/terms.h"
#include "identity/import/take_item.h"
#include "identity/invite/ephemeral.h"
#include "identity/invite/invite.h"
#include "shared/core/arena.h"
#include "shared/core/base64.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/id/mxid.h"
#include "shared/json/json.h"
#include "shared/threepid/claim_db.h"

#define SESSION_FOREIGN_ID_MAX 20

static const char bad_user[] = "bad_user: No Matrix user id";

/* NULL if it is none. */
static const char *user_of(const json_t *item, const char *key)
{
	const char *user_id = jstr(item, key);
	struct mx_id id;

	return user_id && mx_user_id_parse(mx_slice(user_id), false, &id) ? user_id : NULL;
}

/* ---- accounts */

static int take_account(const struct identity_call *call, const json_t *item, const char *source,
			const char **ret_outcome)
{
	const char *user_id = user_of(item, "user_id");
	bool added;
	int rc;

	(void)source;
	*ret_outcome = bad_user;
	if (!user_id)
		return 0;
	rc = account_db_add(call->txn, user_id, jint(item, "created_ts", call->now_ms), &added);
	if (rc == 0)
		*ret_outcome = added ? TAKEN_NEW : TAKEN_KNOWN;
	return rc;
}

/* When it was made is not known; the year that an unused one lives begins now. */
static int take_token(const struct identity_call *call, const json_t *item, const char *source,
		      const char **ret_outcome)
{
	const struct account_token token = { user_of(item, "user_id"), call->now_ms, call->now_ms };
	uint8_t hash[MX_SHA256_LEN];
	bool was;
	int rc;

	(void)source;
	*ret_outcome = "bad_token: No hash of a token";
	if (!mx_base64_decode_exact(jslice(item, "sha256"), hash, sizeof(hash)))
		return 0;
	*ret_outcome = bad_user;
	if (!token.user_id)
		return 0;
	rc = item_is_again(call, hash, &was);
	if (rc)
		return rc;
	*ret_outcome = was ? TAKEN_KNOWN : TAKEN_NEW;
	if (!was)
		account_db_put_token(call->txn, hash, &token);
	return 0;
}

static int take_consent(const struct identity_call *call, const json_t *item, const char *source,
			const char **ret_outcome)
{
	const char *from = mx_arena_strf(call->mem, "import from %s", source);
	json_auto_t *urls = json_pack("[O?]", json_object_get(item, "url"));
	bool added = false;
	const struct terms_acceptance acceptance = {
		.user_id = user_of(item, "user_id"),
		.urls = urls,
		.client = from,
		.ret_added = &added,
	};
	int rc;

	*ret_outcome = bad_user;
	if (!acceptance.user_id)
		return 0;
	rc = terms_accept(call, &acceptance, NULL);
	*ret_outcome = added ? TAKEN_NEW : TAKEN_KNOWN;
	if (rc != -MX_INVALID_PARAM)
		return rc;
	*ret_outcome = "unused: The configuration has no document with this URL";
	return 0;
}

/* ---- sessions */

static bool is_session_id(const char *id)
{
	size_t len = strspn(id, "0123456789");

	return len > 0 && len <= SESSION_FOREIGN_ID_MAX && id[len] == '\0';
}

static const char *read_session(const struct identity_call *call, const json_t *item,
				struct claim *ret_session)
{
	int64_t touched_ms = jint(item, "touched_ts", 0);
	struct claim session = {
		.id = jstr_or(item, "id", ""),
		.client_secret = jstr_or(item, "client_secret", ""),
		.token = jstr_or(item, "token", ""),
		.address_as_sent = jstr_or(item, "address", ""),
		.created_ms = touched_ms,
		.sent_ms = touched_ms,
		/* Sydent keeps no other time of a validation. */
		.validated_ms = jbool(item, "validated", false) ? touched_ms : 0,
		/* Nor the number of what it has sent. */
		.send_attempt = -1,
		.tries_left = CLAIM_TRIES,
	};
	struct mx_error err = { 0 };

	if (!is_session_id(session.id))
		return "bad_id: No number";
	if (touched_ms < 0 || touched_ms > call->now_ms)
		return "bad_time: Not of the past";
	if (client_secret_check(session.client_secret, &err))
		return item_refused(call, "bad_secret", &err);
	if (strlen(session.token) > VALIDATION_TOKEN_MAX ||
	    (!*session.token && !session.validated_ms))
		return "bad_token: Empty or too long";
	if (threepid_parse(jstr_or(item, "medium", ""), session.address_as_sent, call->mem,
			   &session.threepid, &err))
		return item_refused(call, "bad_address", &err);
	if (!streq(session.threepid.medium, "email"))
		session.address_as_sent = "";
	*ret_session = session;
	return NULL;
}

/* Its address may have a newer one of the same client. */
static int take_session(const struct identity_call *call, const json_t *item, const char *source,
			const char **ret_outcome)
{
	const struct claim_call sessions = claim_call_of(*call);
	struct claim_row row = { 0 }, other;
	int rc;

	(void)source;
	*ret_outcome = read_session(call, item, &row.session);
	if (*ret_outcome)
		return 0;
	rc = claim_db_get(&sessions, row.session.id, &other);
	*ret_outcome = TAKEN_KNOWN;
	if (rc != -MX_NOT_FOUND)
		return rc;
	rc = claim_db_find(&sessions, &row.session.threepid, row.session.client_secret, &other);
	*ret_outcome = "older: The client has a newer session here";
	if ((rc && rc != -MX_NOT_FOUND) ||
	    (rc == 0 && other.session.created_ms > row.session.created_ms))
		return rc;
	claim_secret_hash(row.session.client_secret, row.secret_hash);
	claim_db_add(call->txn, &row);
	*ret_outcome = TAKEN_NEW;
	return 0;
}

/* ---- invites */

static int take_ephemeral_key(const struct identity_call *call, const json_t *item,
			      const char *source, const char **ret_outcome)
{
	uint8_t public_key[32];
	bool added;
	int rc;

	(void)source;
	*ret_outcome = "bad_key: No public key";
	if (!ephemeral_decode(jstr_or(item, "public_key", ""), public_key))
		return 0;
	rc = ephemeral_import(call, public_key, &added);
	if (rc == 0)
		*ret_outcome = added ? TAKEN_NEW : TAKEN_KNOWN;
	return rc;
}

/* Told to a homeserver and still there: it was delivered, or lost with a restart. It is not told
 * again, but its token signs, and it can be sent again by hand. */
static const char *read_invite(const struct identity_call *call, const json_t *item,
			       struct invite *ret_invite)
{
	int64_t sent_ms = jint(item, "sent_ts", 0);
	struct invite invite = {
		.token = jstr_or(item, "token", ""),
		.room_id = jstr_or(item, "room_id", ""),
		.sender = user_of(item, "sender"),
		.created_ms = jint(item, "received_ts", 0),
		.ended_ms = sent_ms,
		.state = sent_ms ? INVITE_DELIVERED : INVITE_PENDING,
	};
	struct mx_error err = { 0 };

	if (!*invite.token || strlen(invite.token) > MX_ID_MAX)
		return "bad_token: Empty or too long";
	if (!*invite.room_id || strlen(invite.room_id) > MX_ID_MAX)
		return "bad_room: Empty or too long";
	if (!invite.sender)
		return bad_user;
	if (invite.created_ms < 0 || sent_ms < 0)
		return "bad_time: No time";
	if (threepid_parse(jstr_or(item, "medium", ""), jstr_or(item, "address", ""), call->mem,
			   &invite.threepid, &err))
		return item_refused(call, "bad_address", &err);
	*ret_invite = invite;
	return NULL;
}

static int take_invite(const struct identity_call *call, const json_t *item, const char *source,
		       const char **ret_outcome)
{
	struct invite invite, stored;
	int rc;

	(void)source;
	*ret_outcome = read_invite(call, item, &invite);
	if (*ret_outcome)
		return 0;
	rc = invite_load(call, invite.token, &stored);
	*ret_outcome = TAKEN_KNOWN;
	if (rc != -MX_NOT_FOUND)
		return rc;
	*ret_outcome = TAKEN_NEW;
	return invite_import(call->txn, &invite, NULL);
}

const struct item_kind people_kinds[] = {
	{ "account", take_account },
	{ "token", take_token },
	{ "consent", take_consent },
	{ "session", take_session },
	{ "ephemeral_key", take_ephemeral_key },
	{ "invite", take_invite },
	{ 0 },
};
