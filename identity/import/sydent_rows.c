#include "identity/import/sydent_rows.h"

#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/utf8.h"

#define NUMBER_MAX ((INT64_C(1) << 53) - 1)
#define ROWS_MAX   INT64_C(100000000)

/* ---- cells */

static int cell_type(struct cells *cells)
{
	return cells->why ? SQLITE_NULL : sqlite3_column_type(cells->statement, cells->next);
}

static void must_be(struct cells *cells, bool good, const char *why)
{
	if (!good && !cells->why)
		cells->why = why;
	cells->next++;
}

static const char *read_text(struct cells *cells)
{
	const char *text = (const char *)sqlite3_column_text(cells->statement, cells->next);
	size_t len = (size_t)sqlite3_column_bytes(cells->statement, cells->next);
	bool good = text && !memchr(text, '\0', len) && mx_utf8_valid(mx_slice_of(text, len));

	must_be(cells, good, "bad_text: No UTF-8 text");
	return good ? text : "";
}

const char *cell_text(struct cells *cells)
{
	if (cell_type(cells) == SQLITE_TEXT)
		return read_text(cells);
	must_be(cells, false, "bad_type: A column that should be text is not");
	return "";
}

const char *cell_text_or_null(struct cells *cells)
{
	if (cell_type(cells) != SQLITE_NULL)
		return cell_text(cells);
	cells->next++;
	return NULL;
}

int64_t cell_number(struct cells *cells)
{
	int64_t number;

	if (cell_type(cells) != SQLITE_INTEGER) {
		must_be(cells, false, "bad_type: A column that should be a number is not");
		return 0;
	}
	number = sqlite3_column_int64(cells->statement, cells->next);
	must_be(cells, number >= 0 && number <= NUMBER_MAX,
		"bad_number: A time or number that cannot be");
	return cells->why ? 0 : number;
}

int64_t cell_number_or(struct cells *cells, int64_t if_null)
{
	if (cell_type(cells) != SQLITE_NULL)
		return cell_number(cells);
	cells->next++;
	return if_null;
}

/* ---- tables */

static int unreadable(sqlite3 *database, const char *table, struct mx_error *err)
{
	return mx_fail(err, MX_INVALID_PARAM, "%s cannot be read: %s", table,
		       sqlite3_errmsg(database));
}

/* What a statement would do with a view or a virtual table is up to whoever made the file; those
 * have no page of their own. */
bool sydent_has_table(sqlite3 *database, const char *table)
{
	static const char find[] = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND "
				   "name = ? COLLATE NOCASE AND rootpage > 0";
	sqlite3_stmt *statement;
	bool found;

	if (sqlite3_prepare_v2(database, find, -1, &statement, NULL) != SQLITE_OK)
		return false;
	sqlite3_bind_text(statement, 1, table, -1, SQLITE_STATIC);
	found = sqlite3_step(statement) == SQLITE_ROW;
	sqlite3_finalize(statement);
	return found;
}

static int visit_row(struct sydent *sydent, const struct sydent_query *query,
		     sqlite3_stmt *statement, struct mx_error *err)
{
	struct import_row row = { .table = query->table };
	struct cells cells = { .statement = statement };

	mx_arena_reset(sydent->mem);
	row.number = sqlite3_column_int64(statement, cells.next++);
	return query->visit(sydent, &row, &cells, query->ctx, err);
}

int sydent_each(struct sydent *sydent, const struct sydent_query *query, struct mx_error *err)
{
	sqlite3_stmt *statement;
	int rc = 0, step = SQLITE_DONE;

	if (!sydent_has_table(sydent->database, query->table))
		return 0;
	if (sqlite3_prepare_v2(sydent->database, query->sql, -1, &statement, NULL) != SQLITE_OK)
		return unreadable(sydent->database, query->table, err);
	for (int64_t i = 0; rc == 0 && i < ROWS_MAX; i++) {
		step = sqlite3_step(statement);
		if (step != SQLITE_ROW)
			break;
		rc = visit_row(sydent, query, statement, err);
	}
	if (rc == 0 && step != SQLITE_DONE)
		rc = unreadable(sydent->database, query->table, err);
	sqlite3_finalize(statement);
	return rc;
}

/* ---- the visitor */

void sydent_leave(struct sydent *sydent, const struct import_row *row, const char *why)
{
	sydent->visitor->leave(sydent->visitor->ctx, row, why);
}

int sydent_take(struct sydent *sydent, const struct import_row *row, const struct cells *cells,
		json_t *item, struct mx_error *err)
{
	if (!cells->why && item)
		return sydent->visitor->take(sydent->visitor->ctx, row, item, err);
	json_decref(item);
	sydent_leave(sydent, row, cells->why ? cells->why : "bad_text: No text for JSON");
	return 0;
}
