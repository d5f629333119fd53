/* Rows of another program's SQLite tables, cell by cell. Only what reads Sydent's uses it. */
#pragma once

#include "identity/import/sydent.h"

#include <sqlite3.h>
#include <stdbool.h>

struct mx_arena;

/* What is read now. */
struct sydent {
	sqlite3 *database;
	const struct sydent_reading *reading;
	const struct import_visitor *visitor;
	struct mx_arena *mem; /* of one row */
};

/* Reads the cells from left to right. After the first that is not as asked for, the rest is empty
 * and `why` says so. */
struct cells {
	sqlite3_stmt *statement;
	int next;
	const char *why; /* NULL = all of them were good */
};

const char *cell_text(struct cells *cells); /* never NULL */
const char *cell_text_or_null(struct cells *cells);
/* From 0 to what JSON can hold. */
int64_t cell_number(struct cells *cells);
int64_t cell_number_or(struct cells *cells, int64_t if_null);

/* Whether a real table of this name is there: no view, nothing virtual. */
bool sydent_has_table(sqlite3 *database, const char *table);

struct sydent_query {
	const char *table, *sql; /* the first column is the row's number */
	/* row and cells are of this row; not 0 ends it. Leaves what it cannot read. */
	int (*visit)(struct sydent *sydent, const struct import_row *row, struct cells *cells,
		     void *ctx, struct mx_error *err);
	void *ctx;
};

/* Every row; none if there is no such table. -MX_INVALID_PARAM for a database that cannot be
 * read. */
int sydent_each(struct sydent *sydent, const struct sydent_query *query, struct mx_error *err);

/* Hands an item over, or leaves the row if a cell was bad; takes the item, which may be NULL. */
int sydent_take(struct sydent *sydent, const struct import_row *row, const struct cells *cells,
		json_t *item, struct mx_error *err);
void sydent_leave(struct sydent *sydent, const struct import_row *row, const char *why);

/* sydent_bindings.c */
int sydent_read_bindings(struct sydent *sydent, struct mx_error *err);
