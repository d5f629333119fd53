#include "notary/import/postgres.h"

#include "shared/core/error.h"
#include "shared/core/str.h"

#include <postgresql/libpq-fe.h>

typedef int row_visit_fn(void *ctx, const struct mx_slice *columns, struct mx_error *err);

bool postgres_is_address(const char *source)
{
	return mx_starts_with(source, "postgresql://") || mx_starts_with(source, "postgres://");
}

/* libpq's messages end in a newline. */
static int failed(struct mx_error *err, const char *message)
{
	return mx_fail(err, MX_INVALID_PARAM, "PostgreSQL: %.*s", (int)strcspn(message, "\n"),
		       message);
}

static int visit_row(const PGresult *result, int row, row_visit_fn *visit, void *ctx,
		     struct mx_error *err)
{
	struct mx_slice columns[POSTGRES_COLUMNS_MAX] = { 0 };
	int len = PQnfields(result);

	for (int i = 0; i < len && i < POSTGRES_COLUMNS_MAX; i++)
		columns[i] = mx_slice_of(PQgetvalue(result, row, i),
					 (size_t)PQgetlength(result, row, i));
	return visit(ctx, columns, err);
}

static int visit_result(PGconn *connection, const PGresult *result, row_visit_fn *visit, void *ctx,
			struct mx_error *err)
{
	ExecStatusType status = PQresultStatus(result);
	int rc = 0;

	if (status != PGRES_SINGLE_TUPLE && status != PGRES_TUPLES_OK)
		return failed(err, PQerrorMessage(connection));
	for (int row = 0; rc == 0 && row < PQntuples(result); row++)
		rc = visit_row(result, row, visit, ctx, err);
	return rc;
}

static int run(PGconn *connection, const char *select, row_visit_fn *visit, void *ctx,
	       struct mx_error *err)
{
	PGresult *result;
	int rc = 0;

	if (!PQsendQueryParams(connection, select, 0, NULL, NULL, NULL, NULL, 1) ||
	    !PQsetSingleRowMode(connection))
		return failed(err, PQerrorMessage(connection));
	while ((result = PQgetResult(connection))) {
		if (rc == 0)
			rc = visit_result(connection, result, visit, ctx, err);
		PQclear(result);
	}
	return rc;
}

int postgres_each(const char *address, const char *select, row_visit_fn *visit, void *ctx,
		  struct mx_error *err)
{
	PGconn *connection = PQconnectdb(address);
	PGresult *result;
	int rc = 0;

	if (PQstatus(connection) != CONNECTION_OK)
		rc = failed(err, PQerrorMessage(connection));
	if (rc == 0) {
		result = PQexec(connection, "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY");
		if (PQresultStatus(result) != PGRES_COMMAND_OK)
			rc = failed(err, PQerrorMessage(connection));
		PQclear(result);
	}
	if (rc == 0)
		rc = run(connection, select, visit, ctx, err);
	PQfinish(connection);
	return rc;
}
