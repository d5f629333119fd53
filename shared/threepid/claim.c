#include "shared/threepid/claim.h"

#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/rand.h"
#include "shared/core/str.h"
#include "shared/core/utf8.h"
#include "shared/outbox/outbox.h"
#include "shared/store/store.h"
#include "shared/threepid/claim_db.h"

#include <sodium.h>
#include <stdio.h>

#define LONG_TOKEN_LEN  32
#define SHORT_TOKEN_LEN 6

enum stage { LIVE, EXPIRED, FORGOTTEN };

static enum stage stage_of(const struct claim *session, int64_t now_ms)
{
	int64_t since_ms = session->validated_ms ? session->validated_ms : session->created_ms;

	if (now_ms < since_ms + CLAIM_LIFE_MS)
		return session->ended ? EXPIRED : LIVE;
	return now_ms < since_ms + CLAIM_LIFE_MS + CLAIM_TOMBSTONE_MS ? EXPIRED : FORGOTTEN;
}

int client_secret_check(const char *secret, struct mx_error *err)
{
	static const char allowed[] =
		"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.=_-";
	size_t len = strlen(secret);

	if (len == 0 || len > CLIENT_SECRET_MAX || strspn(secret, allowed) != len)
		return mx_fail(err, MX_INVALID_PARAM, "client_secret is not valid");
	return 0;
}

/* ---- opening */

static char *token_new(struct mx_arena *mem, bool is_short)
{
	char *token = mx_arena_alloc(mem, LONG_TOKEN_LEN + 1);

	if (is_short)
		snprintf(token, SHORT_TOKEN_LEN + 1, "%06u", mx_random_below(1000000));
	else
		mx_random_token(token, LONG_TOKEN_LEN);
	return token;
}

static struct claim_row row_new(const struct claim_call *call, const struct claim_request *request)
{
	char *id = mx_arena_alloc(call->mem, CLAIM_ID_LEN + 1);
	struct claim_row row = { .session = {
					 .id = id,
					 .token = token_new(call->mem, request->short_token),
					 .next_link = request->next_link,
					 .remote = request->remote,
					 .threepid = request->threepid,
					 .address_as_sent = request->address_as_sent,
					 .created_ms = call->now_ms,
					 .send_attempt = -1,
					 .tries_left = CLAIM_TRIES,
				 } };

	mx_random_token(id, CLAIM_ID_LEN);
	claim_secret_hash(request->client_secret, row.secret_hash);
	return row;
}

/* Validated ones are evidence, not to be changed by another request; one whose tries are used up
 * cannot be validated any more. */
static bool may_go_on(const struct claim *session, int64_t now_ms)
{
	return stage_of(session, now_ms) == LIVE && !session->validated_ms && session->tries_left;
}

/* The outbox says of old messages that it does not know: then they count as sent. */
static bool was_lost(const struct claim_call *call, const struct claim *session)
{
	struct outbox_report report = { 0 };

	if (!session->message)
		return false;
	outbox_look(call->outbox, session->message, &report);
	return report.stage == OUTBOX_ENDED && report.result != OUTBOX_SENT &&
	       report.result != OUTBOX_UNSURE;
}

static bool must_send(const struct claim_call *call, const struct claim *session, int64_t attempt)
{
	if (session->send_attempt < 0 || attempt > session->send_attempt)
		return true;
	/* A repeated attempt sends again only what never arrived, not an older request's. */
	return (attempt < 0 || attempt == session->send_attempt) && was_lost(call, session);
}

static bool note(const char **value, const char *newest)
{
	if (!newest || streq(*value, newest))
		return false;
	*value = newest;
	return true;
}

/* What a later request says counts. Whether that is something else than before. */
static bool note_request(struct claim *session, const struct claim_request *request)
{
	bool other_link = note(&session->next_link, request->next_link);

	return note(&session->remote, request->remote) || other_link;
}

int claim_open(const struct claim_call *call, const struct claim_request *request,
	       struct claim *ret_session, bool *ret_must_send, struct mx_error *err)
{
	struct claim_row row;
	int rc = client_secret_check(request->client_secret, err);

	if (rc)
		return rc;
	rc = claim_db_find(call, &request->threepid, request->client_secret, &row);
	if (rc && rc != -MX_NOT_FOUND)
		return rc;
	if (rc || !may_go_on(&row.session, call->now_ms)) {
		row = row_new(call, request);
		claim_db_add(call->txn, &row);
	} else if (note_request(&row.session, request)) {
		claim_db_put(call->txn, &row);
	}
	row.session.client_secret = request->client_secret;
	*ret_must_send = must_send(call, &row.session, request->send_attempt);
	*ret_session = row.session;
	return 0;
}

/* Changes the stored row by what only messages change. */
static void note_message(const struct claim_call *call, const char *id, int64_t attempt,
			 uint64_t message)
{
	struct claim_row row;

	if (claim_db_get(call, id, &row))
		return;
	row.session.send_attempt = attempt;
	row.session.message = message;
	if (message)
		row.session.sent_ms = call->now_ms;
	claim_db_put(call->txn, &row);
}

void claim_sent(const struct claim_call *call, const struct claim *session, int64_t attempt,
		uint64_t message)
{
	/* A request without an attempt counts as the lowest. */
	note_message(call, session->id, attempt < 0 ? 0 : attempt, message);
}

void claim_not_sent(const struct claim_call *call, const char *id, uint64_t message)
{
	struct claim_row row;

	/* Another message may have gone out meanwhile. */
	if (claim_db_get(call, id, &row) == 0 && row.session.message == message)
		note_message(call, id, row.session.send_attempt - 1, 0);
}

/* ---- using */

static int check_stage(const struct claim *session, int64_t now_ms, struct mx_error *err)
{
	switch (stage_of(session, now_ms)) {
	case LIVE: return 0;
	case EXPIRED: return mx_fail(err, MX_SESSION_EXPIRED, "The validation session has expired");
	case FORGOTTEN: break;
	}
	return mx_fail(err, MX_NO_VALID_SESSION, "There is no such validation session");
}

int claim_load(const struct claim_call *call, const char *id, const char *client_secret,
	       struct claim *ret_session, struct mx_error *err)
{
	uint8_t hash[MX_SHA256_LEN];
	struct claim_row row;
	int rc = claim_db_get(call, id, &row);

	if (rc && rc != -MX_NOT_FOUND)
		return rc;
	claim_secret_hash(client_secret, hash);
	if (rc || sodium_memcmp(hash, row.secret_hash, sizeof(hash)) != 0)
		return mx_fail(err, MX_NO_VALID_SESSION, "There is no such validation session");
	rc = check_stage(&row.session, call->now_ms, err);
	if (rc)
		return rc;
	row.session.client_secret = client_secret;
	*ret_session = row.session;
	return 0;
}

int claim_proof(const struct claim_call *call, const char *id, const char *client_secret,
		struct claim *ret_session, struct mx_error *err)
{
	struct claim session;
	int rc = claim_load(call, id, client_secret, &session, err);

	if (rc)
		return rc;
	if (!session.validated_ms)
		return mx_fail(err, MX_SESSION_NOT_VALIDATED, "The session has not been validated");
	*ret_session = session;
	return 0;
}

static bool token_is(const struct claim *session, const char *token)
{
	size_t len = strlen(session->token);

	return strlen(token) == len && sodium_memcmp(session->token, token, len) == 0;
}

static void note_try(const struct claim_call *call, struct claim_row *row, bool right)
{
	if (right)
		row->session.validated_ms = call->now_ms;
	else
		row->session.tries_left--;
	claim_db_put(call->txn, row);
}

int claim_submit(const struct claim_call *call, const struct claim *session, const char *token,
		 bool *ret_right, struct mx_error *err)
{
	struct claim_row row;
	bool right;
	int rc;

	if (!mx_utf8_valid(mx_slice(token)) ||
	    mx_utf8_count(mx_slice(token)) > VALIDATION_TOKEN_MAX)
		return mx_fail(err, MX_INVALID_PARAM, "token is not valid");
	rc = claim_db_get(call, session->id, &row);
	if (rc)
		return rc;
	right = token_is(&row.session, token);
	if (!row.session.validated_ms && row.session.tries_left > 0)
		note_try(call, &row, right);
	else
		right = right && row.session.validated_ms;
	*ret_right = right;
	return 0;
}

/* ---- for the operator */

enum claim_stage claim_stage(const struct claim *session, int64_t now_ms)
{
	if (stage_of(session, now_ms) != LIVE)
		return CLAIM_OVER;
	return session->validated_ms ? CLAIM_VALIDATED : CLAIM_OPEN;
}

int claim_list(const struct claim_call *call, const struct threepid *threepid,
	       const struct page *page, struct claim_list *ret_list)
{
	return claim_db_list(call, threepid, page, ret_list);
}

int claim_end(const struct claim_call *call, const char *id, struct claim *ret_session,
	      struct mx_error *err)
{
	struct claim_row row;
	int rc = claim_db_get(call, id, &row);

	if (rc && rc != -MX_NOT_FOUND)
		return rc;
	if (rc || stage_of(&row.session, call->now_ms) != LIVE)
		return mx_fail(err, MX_NOT_FOUND, "There is no such session, or it is over");
	row.session.ended = true;
	claim_db_put(call->txn, &row);
	outbox_withdraw_in(call->txn, row.session.message);
	*ret_session = row.session;
	return 0;
}

void claim_forget(const struct claim_call *call, const struct claim *session)
{
	outbox_withdraw_in(call->txn, session->message);
	claim_db_delete(call, session->id);
}

size_t claim_reap(struct store *store, int64_t now_ms, size_t limit)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct store_txn *txn = store_txn_begin(store);
	size_t reaped = claim_db_reap(txn, now_ms, limit, mem);

	/* What fails now is tried by the next call. */
	return store_txn_commit(txn, NULL) == 0 ? reaped : 0;
}
