#include "identity/invite/onbind.h"

#include "identity/identity.h"
#include "identity/invite/invite_db.h"
#include "identity/long_term_keys.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/log.h"
#include "shared/core/time.h"
#include "shared/json/canonical.h"
#include "shared/net/net.h"
#include "shared/outbox/outbox.h"
#include "shared/store/record.h"

#define TARGET "/_matrix/federation/v1/3pid/onbind"

#define FIRST_MS   (5 * MX_SECOND_MS)
#define LONGEST_MS (24 * MX_HOUR_MS)
#define GIVE_UP_MS (14 * MX_DAY_MS)
#define AT_ONCE    4

/* A homeserver joins the rooms before it answers. */
#define CONNECT_MS (5 * MX_SECOND_MS)
#define TOTAL_MS   (20 * MX_SECOND_MS)

/* ---- what is sent */

static int sign_token(const struct identity_call *call, const struct invite *invite,
		      json_t **ret_signed, struct mx_error *err)
{
	json_auto_t *object = json_pack("{s:s, s:s}", "mxid", invite->user_id, "token",
					invite->token);
	int rc = long_term_sign(call->identity->keys, object, err);

	if (rc == 0)
		*ret_signed = mx_steal(&object);
	return rc;
}

/* Takes the reference. */
static json_t *entry_of(const struct invite *invite, json_t *signed_object)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:o}", "medium", invite->threepid.medium,
			 "address", invite->threepid.address, "room_id", invite->room_id, "sender",
			 invite->sender, "token", invite->token, "mxid", invite->user_id, "signed",
			 signed_object);
}

/* The association is signed anew with the invite in it, so that the body's signature is true. */
static int add_body(const struct identity_call *call, const json_t *association, json_t *entry,
		    struct mx_str *out, struct mx_error *err)
{
	json_auto_t *body = json_copy((json_t *)association);
	int rc;

	json_object_del(body, "signatures");
	json_object_set_new(body, "invites", json_pack("[o]", entry));
	rc = long_term_sign(call->identity->keys, body, err);
	return rc ? rc : mx_canonical_json(body, NULL, out, err);
}

int onbind_payload(const struct identity_call *call, const json_t *association,
		   const struct invite *invite, struct mx_str *out, struct mx_error *err)
{
	mx_str_auto body = { 0 };
	json_t *signed_object;
	int rc = sign_token(call, invite, &signed_object, err);

	if (rc)
		return rc;
	rc = add_body(call, association, entry_of(invite, signed_object), &body, err);
	if (rc)
		return rc;
	record_begin(out, 1);
	record_put_bytes(out, mx_slice(invite->token));
	record_put_bytes(out, mx_str_slice(&body));
	return 0;
}

/* ---- sending */

static bool read_payload(struct mx_slice payload, struct mx_slice *ret_token,
			 struct mx_slice *ret_body)
{
	struct record_reader in = record_open(payload);

	*ret_token = record_bytes(&in);
	*ret_body = record_bytes(&in);
	return record_ok(&in);
}

struct mx_slice onbind_token(struct mx_slice payload)
{
	struct mx_slice token, body;

	return read_payload(payload, &token, &body) ? token : MX_SLICE("");
}

struct sending {
	struct identity *identity;
	const char *server;
	struct mx_slice body;
	const _Atomic bool *hurry;
	struct mx_arena *mem;
};

static struct net_response ask(const struct sending *sending, const char *method)
{
	static const char *const headers[] = { "Content-Type: application/json", NULL };
	const struct net_request request = {
		.method = method,
		.server = sending->server,
		.target = TARGET,
		.headers = headers,
		.body = sending->body,
		.connect_ms = CONNECT_MS,
		.total_ms = TOTAL_MS,
		.hurry = sending->hurry,
	};
	struct net_response response;

	net_fetch(sending->identity->net, &request, sending->mem, &response);
	return response;
}

static enum outbox_result send_body(const struct sending *sending, struct mx_error *err)
{
	/* The specification says PUT, and all that is deployed took POST before it was written. */
	struct net_response response = ask(sending, "POST");

	if (response.rc == 0 && (response.status == 404 || response.status == 405))
		response = ask(sending, "PUT");
	if (response.rc == 0 && response.status == 200)
		return OUTBOX_SENT;
	if (response.rc)
		*err = response.err;
	else
		mx_fail(err, MX_REMOTE_FAILED, "The homeserver answered with %d", response.status);
	/* A room that refuses today may be mended tomorrow: time alone ends it. */
	return OUTBOX_AGAIN;
}

static enum outbox_result send(void *ctx, const struct outbox_item *item, struct mx_error *err)
{
	struct mx_arena *mem = mx_arena_new(0);
	struct sending sending = { .identity = ctx, .hurry = item->hurry, .mem = mem };
	enum outbox_result result = OUTBOX_REFUSED;
	struct mx_slice token;

	sending.server = mx_arena_slice(mem, item->lane).ptr;
	if (read_payload(item->payload, &token, &sending.body))
		result = send_body(&sending, err);
	else
		mx_fail(err, MX_STORE, "The stored notice is damaged");
	mx_arena_free(mem);
	return result;
}

static void note_end(const struct identity_call *call, const char *token, enum outbox_result result)
{
	struct invite invite;

	/* Withdrawn while its notice was under way, it stays withdrawn. */
	if (invite_db_get(call, token, &invite) != 0 || invite.state != INVITE_BOUND)
		return;
	if (result == OUTBOX_SENT)
		invite.state = INVITE_DELIVERED;
	else
		mx_log(MX_LOG_WARN, "a homeserver was not told of an invite; it is given up",
		       "room", invite.room_id, NULL);
	invite.ended_ms = call->now_ms;
	invite_db_put(call->txn, &invite);
}

static void ended(void *ctx, struct store_txn *txn, const struct outbox_item *item,
		  enum outbox_result result)
{
	struct mx_arena *mem = mx_arena_new(0);
	const struct identity_call call = {
		.identity = ctx,
		.txn = txn,
		.mem = mem,
		.now_ms = mx_now_ms(),
	};
	struct mx_slice token, body;

	if (read_payload(item->payload, &token, &body))
		note_end(&call, mx_arena_slice(mem, token).ptr, result);
	mx_arena_free(mem);
}

struct outbox_kind onbind_kind(struct identity *identity)
{
	return (struct outbox_kind){
		.name = ONBIND_KIND,
		.first_ms = FIRST_MS,
		.max_ms = LONGEST_MS,
		.give_up_ms = GIVE_UP_MS,
		.parallel = AT_ONCE,
		.lane_parallel = 1,
		.send = send,
		.ended = ended,
		.ctx = identity,
	};
}
