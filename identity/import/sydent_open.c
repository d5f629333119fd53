#include "identity/import/sydent.h"
#include "identity/import/sydent_rows.h"
#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/url.h"

#include <errno.h>
#include <sqlite3.h>
#include <sys/stat.h>

#define FILE_BYTES_MAX (INT64_C(64) * 1024 * 1024 * 1024)
#define CELL_BYTES_MAX (1024 * 1024)
#define HEAP_BYTES_MAX (INT64_C(256) * 1024 * 1024)

/* The newest form of its tables that is known: Sydent 1.0.3 to 2.7.0. */
#define SCHEMA_VERSION_MAX 5

static const struct {
	int which, most;
} limits[] = {
	{ SQLITE_LIMIT_LENGTH, CELL_BYTES_MAX },
	{ SQLITE_LIMIT_SQL_LENGTH, 64 * 1024 },
	{ SQLITE_LIMIT_COLUMN, 64 },
	{ SQLITE_LIMIT_EXPR_DEPTH, 32 },
	{ SQLITE_LIMIT_COMPOUND_SELECT, 4 },
	{ SQLITE_LIMIT_VDBE_OP, 20000 },
	{ SQLITE_LIMIT_FUNCTION_ARG, 8 },
	{ SQLITE_LIMIT_ATTACHED, 0 },
	{ SQLITE_LIMIT_TRIGGER_DEPTH, 1 },
	{ SQLITE_LIMIT_WORKER_THREADS, 0 },
};

static const struct {
	int which, value;
} settings[] = {
	{ SQLITE_DBCONFIG_DEFENSIVE, 1 },
	{ SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0 },
	{ SQLITE_DBCONFIG_ENABLE_VIEW, 0 },
	{ SQLITE_DBCONFIG_ENABLE_TRIGGER, 0 },
	{ SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0 },
};

void sydent_guard(sqlite3 *database)
{
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		sqlite3_limit(database, limits[i].which, limits[i].most);
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		sqlite3_db_config(database, settings[i].which, settings[i].value, NULL);
	sqlite3_hard_heap_limit64(HEAP_BYTES_MAX);
}

/* ---- is it one? */

/* The first cell of the first row, as text in ret_text. */
static int ask(sqlite3 *database, const char *sql, char ret_text[64], struct mx_error *err)
{
	sqlite3_stmt *statement;
	const char *text = NULL;

	if (sqlite3_prepare_v2(database, sql, -1, &statement, NULL) == SQLITE_OK &&
	    sqlite3_step(statement) == SQLITE_ROW)
		text = (const char *)sqlite3_column_text(statement, 0);
	if (text)
		sqlite3_snprintf(64, ret_text, "%s", text);
	else
		mx_fail(err, MX_INVALID_PARAM, "The database cannot be read: %s",
			sqlite3_errmsg(database));
	sqlite3_finalize(statement);
	return text ? 0 : -MX_INVALID_PARAM;
}

/* Those that every version has. */
static bool has_tables(sqlite3 *database)
{
	static const char *const names[] = { "local_threepid_associations",
					     "global_threepid_associations",
					     "threepid_validation_sessions",
					     "threepid_token_auths",
					     "invite_tokens",
					     "peer_pubkeys" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!sydent_has_table(database, names[i]))
			return false;
	return true;
}

int sydent_check(sqlite3 *database, struct mx_error *err)
{
	char text[64];
	int64_t version = 0;
	int rc = ask(database, "PRAGMA quick_check(1)", text, err);

	if (rc)
		return rc;
	if (!streq(text, "ok"))
		return mx_fail(err, MX_INVALID_PARAM, "The database is damaged: %s", text);
	rc = ask(database, "PRAGMA user_version", text, err);
	if (rc)
		return rc;
	if (!has_tables(database))
		return mx_fail(err, MX_INVALID_PARAM, "That is no database of a Sydent");
	if (!mx_parse_i64(mx_slice(text), &version) || version < 0 || version > SCHEMA_VERSION_MAX)
		return mx_fail(err, MX_INVALID_PARAM,
			       "Its tables have version %s; versions up to %d are known", text,
			       SCHEMA_VERSION_MAX);
	return 0;
}

/* ---- the file */

static bool has_bytes(const char *path, const char *suffix)
{
	mx_autofree char *name = mx_strf("%s%s", path, suffix);
	struct stat info;

	return stat(name, &info) == 0 && info.st_size > 0;
}

static int check_file(const char *path, struct mx_error *err)
{
	struct stat info;

	if (stat(path, &info) != 0)
		return mx_fail(err, MX_INVALID_PARAM, "%s: %s", path, strerror(errno));
	if (!S_ISREG(info.st_mode))
		return mx_fail(err, MX_INVALID_PARAM, "%s is no file", path);
	if (info.st_size > FILE_BYTES_MAX)
		return mx_fail(err, MX_INVALID_PARAM, "%s is larger than any Sydent's", path);
	/* Half of what it holds would be in the other file. */
	if (has_bytes(path, "-wal") || has_bytes(path, "-journal"))
		return mx_fail(
			err, MX_INVALID_PARAM,
			"%s has a journal: stop Sydent; if it has crashed, start and stop it "
			"once",
			path);
	return 0;
}

/* An immutable file is read without locks and without any file beside it. */
static int open_file(const char *path, sqlite3 **ret_database, struct mx_error *err)
{
	const int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_PRIVATECACHE;
	mx_str_auto uri = { 0 };
	sqlite3 *database = NULL;

	mx_str_add_text(&uri, "file:");
	mx_url_add(&uri, mx_slice(path));
	mx_str_add_text(&uri, "?mode=ro&immutable=1");
	if (sqlite3_open_v2(uri.ptr, &database, flags, NULL) != SQLITE_OK) {
		mx_fail(err, MX_INVALID_PARAM, "%s: %s", path,
			database ? sqlite3_errmsg(database) : "cannot be opened");
		sqlite3_close(database);
		return -MX_INVALID_PARAM;
	}
	*ret_database = database;
	return 0;
}

int sydent_open(const char *path, sqlite3 **ret_database, struct mx_error *err)
{
	sqlite3 *database;
	int rc = check_file(path, err);

	if (rc == 0)
		rc = open_file(path, &database, err);
	if (rc)
		return rc;
	sydent_guard(database);
	rc = sydent_check(database, err);
	if (rc) {
		sydent_close(database);
		return rc;
	}
	*ret_database = database;
	return 0;
}

void sydent_close(sqlite3 *database)
{
	sqlite3_close(database);
}
