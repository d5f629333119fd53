#include "identity/import/sydent.h"

#include "identity/import/sydent_rows.h"
#include "shared/core/arena.h"
#include "shared/core/base64.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/crypto/sha256.h"
#include "shared/threepid/claim.h"
#include "shared/threepid/threepid.h"

#define PEERS_MAX 1000

/* ---- what everything else rests on */

static int take_pepper(struct sydent *sydent, const struct import_row *row, struct cells *cells,
		       void *ctx, struct mx_error *err)
{
	const char *pepper = cell_text(cells);

	(void)ctx;
	return sydent_take(sydent, row, cells,
			   json_pack("{ss ss}", "kind", "pepper", "pepper", pepper), err);
}

/* Its peers know its associations by these numbers, and would take a new one with an old number
 * for the old one. */
static int take_last_number(struct sydent *sydent, const struct import_row *row,
			    struct cells *cells, void *ctx, struct mx_error *err)
{
	const struct import_row numbers = { "numbers of associations", row->number };
	int64_t number = cell_number_or(cells, 0);

	(void)ctx;
	return sydent_take(
		sydent, &numbers, cells,
		json_pack("{ss sI}", "kind", "last_number", "number", (json_int_t)number), err);
}

/* ---- accounts */

static int take_account(struct sydent *sydent, const struct import_row *row, struct cells *cells,
			void *ctx, struct mx_error *err)
{
	const char *user_id = cell_text(cells);
	int64_t created_ms = cell_number(cells);

	(void)ctx;
	return sydent_take(sydent, row, cells,
			   json_pack("{ss ss sI}", "kind", "account", "user_id", user_id,
				     "created_ts", (json_int_t)created_ms),
			   err);
}

/* Only its hash goes further. */
static int take_token(struct sydent *sydent, const struct import_row *row, struct cells *cells,
		      void *ctx, struct mx_error *err)
{
	const char *token = cell_text(cells), *user_id = cell_text(cells);
	uint8_t hash[MX_SHA256_LEN];
	mx_str_auto text = { 0 };

	(void)ctx;
	if (!cells->why && !*token)
		cells->why = "bad_token: It is empty";
	mx_sha256(mx_slice(token), hash);
	mx_base64url_add(&text, hash, sizeof(hash));
	return sydent_take(
		sydent, row, cells,
		json_pack("{ss ss ss}", "kind", "token", "user_id", user_id, "sha256", text.ptr),
		err);
}

static int take_consent(struct sydent *sydent, const struct import_row *row, struct cells *cells,
			void *ctx, struct mx_error *err)
{
	const char *user_id = cell_text(cells), *url = cell_text(cells);

	(void)ctx;
	return sydent_take(
		sydent, row, cells,
		json_pack("{ss ss ss}", "kind", "consent", "user_id", user_id, "url", url), err);
}

/* ---- sessions */

static bool is_over(struct sydent *sydent, int64_t touched_ms)
{
	return sydent->reading->now_ms - touched_ms >= CLAIM_LIFE_MS + CLAIM_TOMBSTONE_MS;
}

/* One of the future would live longer than any. */
static int64_t not_later(struct sydent *sydent, int64_t ms)
{
	return ms < sydent->reading->now_ms ? ms : sydent->reading->now_ms;
}

/* id, medium, address, clientSecret, validated, mtime, token. Without a token
 * it can still be used if it was validated. */
static int take_session(struct sydent *sydent, const struct import_row *row, struct cells *cells,
			void *ctx, struct mx_error *err)
{
	const char *medium = cell_text(cells), *address = cell_text(cells);
	const char *secret = cell_text(cells);
	bool validated = cell_number_or(cells, 0) != 0;
	int64_t touched_ms = not_later(sydent, cell_number(cells));
	const char *token = cell_text_or_null(cells);

	(void)ctx;
	if (!cells->why && is_over(sydent, touched_ms))
		cells->why = "over: It has ended";
	if (!cells->why && !validated && !token)
		cells->why = "bad_token: A session without a token";
	return sydent_take(sydent, row, cells,
			   json_pack("{ss so ss ss ss ss sb sI}", "kind", "session", "id",
				     json_sprintf("%lld", (long long)row->number), "medium", medium,
				     "address", address, "client_secret", secret, "token",
				     token ? token : "", "validated", validated, "touched_ts",
				     (json_int_t)touched_ms),
			   err);
}

/* ---- invites */

static int take_ephemeral_key(struct sydent *sydent, const struct import_row *row,
			      struct cells *cells, void *ctx, struct mx_error *err)
{
	const char *public_key = cell_text(cells);

	(void)ctx;
	return sydent_take(sydent, row, cells,
			   json_pack("{ss ss}", "kind", "ephemeral_key", "public_key", public_key),
			   err);
}

static int64_t cell_seconds(struct cells *cells)
{
	int64_t seconds = cell_number_or(cells, 0);

	return seconds <= INT64_MAX / MX_SECOND_MS ? seconds * MX_SECOND_MS : 0;
}

/* medium, address, room_id, sender, token, received_ts, sent_ts */
static int take_invite(struct sydent *sydent, const struct import_row *row, struct cells *cells,
		       void *ctx, struct mx_error *err)
{
	const char *medium = cell_text(cells), *address = cell_text(cells);
	const char *room_id = cell_text(cells), *sender = cell_text(cells);
	const char *token = cell_text(cells);
	int64_t received_ms = cell_seconds(cells), sent_ms = cell_seconds(cells);

	(void)ctx;
	return sydent_take(sydent, row, cells,
			   json_pack("{ss ss ss ss ss ss sI sI}", "kind", "invite", "medium",
				     medium, "address", address, "room_id", room_id, "sender",
				     sender, "token", token, "received_ts", (json_int_t)received_ms,
				     "sent_ts", (json_int_t)sent_ms),
			   err);
}

/* ---- all of it */

static const struct sydent_query queries[] = {
	/* The pepper must come before the first binding. */
	{ "hashing_metadata", "SELECT id, lookup_pepper FROM hashing_metadata", take_pepper, NULL },
	{ "local_threepid_associations", "SELECT 0, max(id) FROM local_threepid_associations",
	  take_last_number, NULL },
	{ "accounts", "SELECT rowid, user_id, created_ts FROM accounts", take_account, NULL },
	{ "tokens", "SELECT rowid, token, user_id FROM tokens", take_token, NULL },
	{ "accepted_terms_urls", "SELECT rowid, user_id, url FROM accepted_terms_urls",
	  take_consent, NULL },
	{ "threepid_validation_sessions",
	  "SELECT s.id, medium, address, clientSecret, validated, mtime, token "
	  "FROM threepid_validation_sessions s LEFT JOIN threepid_token_auths t "
	  "ON t.validationSession = s.id ORDER BY s.id",
	  take_session, NULL },
	{ "ephemeral_public_keys", "SELECT id, public_key FROM ephemeral_public_keys",
	  take_ephemeral_key, NULL },
	{ "invite_tokens",
	  "SELECT id, medium, address, room_id, sender, token, received_ts, sent_ts "
	  "FROM invite_tokens",
	  take_invite, NULL },
};

int sydent_read(sqlite3 *database, const struct sydent_reading *reading,
		const struct import_visitor *visitor, struct mx_error *err)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct sydent sydent = { database, reading, visitor, mem };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(queries) / sizeof(queries[0]); i++)
		rc = sydent_each(&sydent, &queries[i], err);
	return rc ? rc : sydent_read_bindings(&sydent, err);
}

/* ---- peers */

static int add_peer(struct sydent *sydent, const struct import_row *row, struct cells *cells,
		    void *ctx, struct mx_error *err)
{
	const char *name = cell_text(cells), *public_key = cell_text(cells);
	json_t *peers = ctx;

	(void)sydent;
	(void)row;
	(void)err;
	if (!cells->why && json_array_size(peers) < PEERS_MAX)
		json_array_append_new(peers,
				      json_pack("{ss ss}", "name", name, "public_key", public_key));
	return 0;
}

int sydent_peers(sqlite3 *database, json_t **ret_peers, struct mx_error *err)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct sydent sydent = { .database = database, .mem = mem };
	json_t *peers = json_array();
	const struct sydent_query query = { "peer_pubkeys",
					    "SELECT rowid, peername, key FROM peer_pubkeys "
					    "WHERE alg = 'ed25519'",
					    add_peer, peers };
	int rc = sydent_each(&sydent, &query, err);

	if (rc)
		json_decref(peers);
	else
		*ret_peers = peers;
	return rc;
}
