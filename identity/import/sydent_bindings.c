/*
 * Of all that Sydent ever stored of an address, in whatever spelling, one association is taken
 * over: the newest. First every row is looked at, then the winners are read again, the oldest
 * first. About 150 bytes an address are held meanwhile.
 */
#include "identity/import/sydent_rows.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/map.h"
#include "shared/core/str.h"
#include "shared/core/vec.h"
#include "shared/threepid/threepid.h"

#include <stdlib.h>

#define LOCAL  "local_threepid_associations"
#define GLOBAL "global_threepid_associations"

#define ADDRESSES_MAX 20000000

/* The newest row of an address so far. */
struct newest {
	int64_t number, ts_ms;
	bool is_global;
};

struct merge {
	struct mx_map addresses; /* medium NUL folded address → newest */
	struct mx_vec(struct newest *) winners;
	struct mx_vec(struct newest) replaced; /* by another spelling */
};

/* ---- which */

static const char why_spelling[] =
	"spelling: The address, spelled otherwise, has a newer association";
static const char why_older[] = "older: The address has a newer association";

/* Two local rows of one address differ in their spelling: their table has each only once. */
static const char *why_loses(const struct newest *winner, const struct newest *loser)
{
	return winner->is_global || loser->is_global ? why_older : why_spelling;
}

static void leave_loser(struct sydent *sydent, struct merge *merge, const struct newest *winner,
			const struct newest *loser)
{
	const struct import_row row = { loser->is_global ? GLOBAL : LOCAL, loser->number };
	const char *why = why_loses(winner, loser);

	if (why == why_spelling)
		mx_vec_push(&merge->replaced, *loser);
	sydent_leave(sydent, &row, why);
}

/* What is newer, or its own where both say the same moment, or what was written later. */
static bool wins(const struct newest *one, const struct newest *two)
{
	if (one->ts_ms != two->ts_ms)
		return one->ts_ms > two->ts_ms;
	if (one->is_global != two->is_global)
		return two->is_global;
	return one->number > two->number;
}

static void compete(struct sydent *sydent, struct merge *merge, struct newest *before,
		    const struct newest *next)
{
	if (wins(next, before)) {
		leave_loser(sydent, merge, next, before);
		*before = *next;
		return;
	}
	leave_loser(sydent, merge, before, next);
}

static struct mx_slice key_of(struct mx_arena *mem, const struct threepid *threepid)
{
	size_t len = strlen(threepid->medium) + 1 + strlen(threepid->address);
	char *key = mx_arena_strf(mem, "%s %s", threepid->medium, threepid->address);

	return mx_slice_of(key, len);
}

/* id, medium, address, ts */
static int note_row(struct sydent *sydent, const struct import_row *row, struct cells *cells,
		    void *ctx, struct mx_error *err)
{
	struct merge *merge = ctx;
	const char *medium = cell_text(cells), *address = cell_text(cells);
	const struct newest next = {
		.number = row->number,
		.ts_ms = cell_number(cells),
		.is_global = streq(row->table, GLOBAL),
	};
	struct threepid threepid;
	struct newest *before;
	struct mx_slice key;

	if (!cells->why && threepid_parse(medium, address, sydent->mem, &threepid, NULL))
		cells->why = "bad_address: No e-mail address and no phone number";
	if (cells->why) {
		sydent_leave(sydent, row, cells->why);
		return 0;
	}
	key = key_of(sydent->mem, &threepid);
	before = mx_map_find(&merge->addresses, key);
	if (before) {
		compete(sydent, merge, before, &next);
		return 0;
	}
	if (merge->addresses.len == ADDRESSES_MAX)
		return mx_fail(err, MX_INVALID_PARAM, "There are more than %d addresses",
			       ADDRESSES_MAX);
	before = mx_alloc(sizeof(*before));
	*before = next;
	mx_map_put(&merge->addresses, key, before);
	return 0;
}

static int note_rows(struct sydent *sydent, struct merge *merge, struct mx_error *err)
{
	const struct sydent_query local = { LOCAL, "SELECT id, medium, address, ts FROM " LOCAL,
					    note_row, merge };
	const struct sydent_query global = { GLOBAL, "SELECT id, medium, address, ts FROM " GLOBAL,
					     note_row, merge };
	int rc = sydent_each(sydent, &local, err);

	return rc ? rc : sydent_each(sydent, &global, err);
}

static int compare(const void *a, const void *b)
{
	const struct newest *one = *(struct newest *const *)a, *two = *(struct newest *const *)b;

	return wins(one, two) - wins(two, one);
}

/* In the order in which they were made: the log of bindings has them so. */
static void sort(struct merge *merge)
{
	struct mx_slice key;
	size_t cursor = 0;
	void *value;

	while (mx_map_next(&merge->addresses, &cursor, &key, &value))
		mx_vec_push(&merge->winners, value);
	if (merge->winners.len)
		qsort(merge->winners.items, merge->winners.len, sizeof(struct newest *), compare);
}

/* ---- what they say */

/* A tombstone has no times; all else must. */
static int64_t bound_time(struct cells *cells, const char *user_id)
{
	return user_id ? cell_number(cells) : cell_number_or(cells, 0);
}

/* id, medium, address, mxid, ts, notBefore, notAfter */
static json_t *read_own(struct sydent *sydent, struct cells *cells, const char *kind)
{
	const char *medium = cell_text(cells), *address = cell_text(cells);
	const char *user_id = cell_text_or_null(cells);
	int64_t ts_ms = cell_number(cells);
	int64_t not_before_ms = bound_time(cells, user_id);
	int64_t not_after_ms = bound_time(cells, user_id);
	struct threepid threepid;

	if (cells->why || threepid_parse(medium, address, sydent->mem, &threepid, NULL))
		return NULL;
	return json_pack("{ss ss ss ss? sI sI sI}", "kind", kind, "medium", threepid.medium,
			 "address", threepid.address, "mxid", user_id, "ts", (json_int_t)ts_ms,
			 "not_before", (json_int_t)not_before_ms, "not_after",
			 (json_int_t)not_after_ms);
}

static int take_local(struct sydent *sydent, const struct import_row *row, struct cells *cells,
		      void *ctx, struct mx_error *err)
{
	(void)ctx;
	return sydent_take(sydent, row, cells, read_own(sydent, cells, "binding"), err);
}

/* originId, sgAssoc, the peer's key */
#define PEERS_CELLS 3

static json_t *read_peers(struct cells *cells, const char *origin)
{
	int64_t number = cell_number(cells);
	const char *association = cell_text(cells);
	const char *public_key = cell_text_or_null(cells);

	return json_pack("{ss ss sI ss ss?}", "kind", "peer_binding", "origin", origin, "number",
			 (json_int_t)number, "association", association, "public_key", public_key);
}

/* originServer comes first here: what is its own needs no copy of its signature, which is made
 * again, byte for byte, of the same fields with the same key. */
static int take_global(struct sydent *sydent, const struct import_row *row, struct cells *cells,
		       void *ctx, struct mx_error *err)
{
	const char *origin = cell_text(cells);
	json_t *item;

	(void)ctx;
	if (streq(origin, sydent->reading->server_name)) {
		cells->next += PEERS_CELLS;
		item = read_own(sydent, cells, "binding");
	} else {
		item = read_peers(cells, origin);
	}
	return sydent_take(sydent, row, cells, item, err);
}

static const char select_local[] =
	"SELECT id, medium, address, mxid, ts, notBefore, notAfter FROM " LOCAL " WHERE id = ?";
static const char select_global[] =
	"SELECT id, originServer, originId, sgAssoc, (SELECT key FROM peer_pubkeys "
	"WHERE peername = originServer AND alg = 'ed25519'), medium, address, mxid, ts, "
	"notBefore, notAfter FROM " GLOBAL " WHERE id = ?";

static int take_replaced(struct sydent *sydent, const struct import_row *row, struct cells *cells,
			 void *ctx, struct mx_error *err)
{
	const struct import_row owner = { "owners of other spellings", row->number };

	(void)ctx;
	return sydent_take(sydent, &owner, cells, read_own(sydent, cells, "replaced"), err);
}

/* The row of this number, by a statement that has its table. */
static int take_row(struct sydent *sydent, sqlite3_stmt *statement,
		    const struct sydent_query *query, int64_t number, struct mx_error *err)
{
	const struct import_row row = { query->table, number };
	struct cells cells = { .statement = statement, .next = 1 };

	mx_arena_reset(sydent->mem);
	sqlite3_reset(statement);
	sqlite3_bind_int64(statement, 1, number);
	if (sqlite3_step(statement) != SQLITE_ROW)
		return mx_fail(err, MX_INVALID_PARAM, "%s cannot be read: %s", row.table,
			       sqlite3_errmsg(sydent->database));
	return query->visit(sydent, &row, &cells, NULL, err);
}

static const struct sydent_query local_row = { LOCAL, select_local, take_local, NULL };
static const struct sydent_query global_row = { GLOBAL, select_global, take_global, NULL };
static const struct sydent_query replaced_row = { LOCAL, select_local, take_replaced, NULL };

static int prepare(struct sydent *sydent, const struct sydent_query *query,
		   sqlite3_stmt **ret_statement, struct mx_error *err)
{
	if (!sydent_has_table(sydent->database, query->table) ||
	    sqlite3_prepare_v2(sydent->database, query->sql, -1, ret_statement, NULL) == SQLITE_OK)
		return 0;
	return mx_fail(err, MX_INVALID_PARAM, "%s cannot be read: %s", query->table,
		       sqlite3_errmsg(sydent->database));
}

static int take_rows(struct sydent *sydent, const struct merge *merge, struct mx_error *err)
{
	sqlite3_stmt *local = NULL, *global = NULL;
	int rc = prepare(sydent, &local_row, &local, err);

	if (rc == 0)
		rc = prepare(sydent, &global_row, &global, err);
	for (size_t i = 0; rc == 0 && i < merge->winners.len; i++) {
		const struct newest *winner = merge->winners.items[i];

		rc = winner->is_global ? take_row(sydent, global, &global_row, winner->number, err)
				       : take_row(sydent, local, &local_row, winner->number, err);
	}
	/* Behind them all: who has the address now is known then. */
	for (size_t i = 0; rc == 0 && i < merge->replaced.len; i++)
		rc = take_row(sydent, local, &replaced_row, merge->replaced.items[i].number, err);
	sqlite3_finalize(local);
	sqlite3_finalize(global);
	return rc;
}

int sydent_read_bindings(struct sydent *sydent, struct mx_error *err)
{
	struct merge merge = { 0 };
	int rc = note_rows(sydent, &merge, err);

	if (rc == 0) {
		sort(&merge);
		rc = take_rows(sydent, &merge, err);
	}
	mx_vec_done(&merge.replaced);
	mx_vec_done(&merge.winners);
	mx_map_done(&merge.addresses, mx_free);
	return rc;
}
