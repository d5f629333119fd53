#include "notary/import/import_source.h"
#include "notary/import/postgres.h"
#include "shared/core/error.h"
#include "shared/core/str.h"

#include <sqlite3.h>

/* The oldest first, so that the first bytes under a key id are the ones kept. */
#define SELECT_OBJECTS \
	"SELECT server_name, key_json FROM server_keys_json ORDER BY ts_added_ms, server_name"

static struct mx_slice column(sqlite3_stmt *statement, int i)
{
	const void *bytes = sqlite3_column_blob(statement, i);

	return mx_slice_of(bytes ? bytes : "", (size_t)sqlite3_column_bytes(statement, i));
}

static int visit_rows(sqlite3 *database, const struct import_visitor *visitor, struct mx_error *err)
{
	sqlite3_stmt *statement;
	int rc = 0, step = SQLITE_ROW;

	if (sqlite3_prepare_v2(database, SELECT_OBJECTS, -1, &statement, NULL) != SQLITE_OK)
		return mx_fail(err, MX_INVALID_PARAM, "No Synapse database: %s",
			       sqlite3_errmsg(database));
	while (rc == 0 && (step = sqlite3_step(statement)) == SQLITE_ROW)
		rc = visitor->visit(visitor->ctx, column(statement, 0), column(statement, 1), err);
	if (rc == 0 && step != SQLITE_DONE)
		rc = mx_fail(err, MX_INVALID_PARAM, "The database cannot be read: %s",
			     sqlite3_errmsg(database));
	sqlite3_finalize(statement);
	return rc;
}

static int from_sqlite(const char *path, const struct import_visitor *visitor, struct mx_error *err)
{
	sqlite3 *database = NULL;
	int rc;

	if (sqlite3_open_v2(path, &database, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK)
		rc = visit_rows(database, visitor, err);
	else
		rc = mx_fail(err, MX_INVALID_PARAM, "%s: %s", path,
			     database ? sqlite3_errmsg(database) : "cannot be opened");
	sqlite3_close(database);
	return rc;
}

static int visit_postgres(void *ctx, const struct mx_slice *columns, struct mx_error *err)
{
	const struct import_visitor *visitor = ctx;

	return visitor->visit(visitor->ctx, columns[0], columns[1], err);
}

int import_synapse(const char *source, const struct import_visitor *visitor, struct mx_error *err)
{
	if (!postgres_is_address(source))
		return from_sqlite(source, visitor, err);
	return postgres_each(source, SELECT_OBJECTS, visit_postgres, (void *)visitor, err);
}
