/* Rows of a Sydent's database, good and bad, made in memory. */
#include "identity/import/sydent.h"
#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/json/json.h"
#include "tests/support/store_fixture.h"

#include <sqlite3.h>

#define NOW INT64_C(1700000000000)

static const char tables[] =
	"CREATE TABLE local_threepid_associations (id INTEGER PRIMARY KEY, medium, address, mxid, "
	"ts, notBefore, notAfter, lookup_hash);"
	"CREATE TABLE global_threepid_associations (id INTEGER PRIMARY KEY, medium, address, mxid, "
	"ts, notBefore, notAfter, originServer, originId, sgAssoc, lookup_hash);"
	"CREATE TABLE threepid_validation_sessions (id INTEGER PRIMARY KEY, medium, address, "
	"clientSecret, validated, mtime);"
	"CREATE TABLE threepid_token_auths (id INTEGER PRIMARY KEY, validationSession, token, "
	"sendAttemptNumber);"
	"CREATE TABLE invite_tokens (id INTEGER PRIMARY KEY, medium, address, room_id, sender, "
	"token, received_ts, sent_ts);"
	"CREATE TABLE peer_pubkeys (id INTEGER PRIMARY KEY, peername, alg, key);";

struct fixture {
	sqlite3 *database;
	json_t *items; /* that were handed over */
	struct mx_str left; /* "table number why" a line */
};

static int setup(void **state)
{
	struct fixture *f = mx_calloc(1, sizeof(*f));

	assert_int_equal(sqlite3_open(":memory:", &f->database), SQLITE_OK);
	sydent_guard(f->database);
	assert_int_equal(sqlite3_exec(f->database, tables, NULL, NULL, NULL), SQLITE_OK);
	f->items = json_array();
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	sqlite3_close(f->database);
	json_decref(f->items);
	mx_str_done(&f->left);
	mx_free(f);
	return 0;
}

static void run(struct fixture *f, const char *sql)
{
	char *why = NULL;

	if (sqlite3_exec(f->database, sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s: %s", sql, why);
}

static int take(void *ctx, const struct import_row *row, json_t *item, struct mx_error *err)
{
	struct fixture *f = ctx;

	(void)row;
	(void)err;
	assert_non_null(jstr(item, "kind"));
	json_array_append_new(f->items, item);
	return 0;
}

static void leave(void *ctx, const struct import_row *row, const char *why)
{
	struct fixture *f = ctx;

	mx_str_addf(&f->left, "%s %lld %.*s\n", row->table, (long long)row->number,
		    (int)strcspn(why, ":"), why);
}

static int read_all(struct fixture *f, struct mx_error *err)
{
	const struct sydent_reading reading = { "id.test", NOW };
	const struct import_visitor visitor = { take, leave, f };

	return sydent_read(f->database, &reading, &visitor, err);
}

static void read_well(struct fixture *f)
{
	struct mx_error err = { 0 };

	if (read_all(f, &err))
		fail_msg("%s", err.text);
}

/* The i-th item of the kind, or NULL. */
static const json_t *item(const struct fixture *f, const char *kind, size_t i)
{
	const json_t *at;
	size_t n;

	json_array_foreach (f->items, n, at)
		if (streq(jstr(at, "kind"), kind) && i-- == 0)
			return at;
	return NULL;
}

static void left_is(const struct fixture *f, const char *lines)
{
	assert_string_equal(mx_str_slice(&f->left).ptr, lines);
}

#define BIND "INSERT INTO local_threepid_associations VALUES "
#define PUSH "INSERT INTO global_threepid_associations VALUES "

/* ---- associations */

static void an_association_is_handed_over_with_its_times(void **state)
{
	struct fixture *f = *state;
	const json_t *binding;

	run(f, BIND "(1, 'email', 'Ann@Example.com', '@ann:hs.test', 5, 6, 7, 'x')");
	read_well(f);
	binding = item(f, "binding", 0);
	assert_string_equal(jstr(binding, "address"), "ann@example.com");
	assert_string_equal(jstr(binding, "mxid"), "@ann:hs.test");
	assert_int_equal(jint(binding, "ts", 0), 5);
	assert_int_equal(jint(binding, "not_before", 0), 6);
	assert_int_equal(jint(binding, "not_after", 0), 7);
	assert_null(item(f, "binding", 1));
	left_is(f, "");
}

static void a_tombstone_is_one_without_a_user(void **state)
{
	struct fixture *f = *state;
	const json_t *binding;

	run(f, BIND "(1, 'email', 'ann@example.com', NULL, 5, NULL, NULL, NULL)");
	read_well(f);
	binding = item(f, "binding", 0);
	assert_non_null(binding);
	assert_null(jstr(binding, "mxid"));
	assert_int_equal(jint(binding, "ts", 0), 5);
}

static void the_newest_of_all_spellings_wins(void **state)
{
	struct fixture *f = *state;

	run(f, BIND "(1, 'email', 'Ann@example.com', '@1:hs.test', 5, 6, 7, NULL),"
		    "(2, 'email', 'ann@example.com', '@2:hs.test', 9, 6, 7, NULL),"
		    "(3, 'email', 'ANN@example.com', '@3:hs.test', 8, 6, 7, NULL)");
	read_well(f);
	assert_string_equal(jstr(item(f, "binding", 0), "mxid"), "@2:hs.test");
	assert_null(item(f, "binding", 1));
	/* For their owner, who is to know. */
	assert_string_equal(jstr(item(f, "replaced", 0), "mxid"), "@1:hs.test");
	assert_string_equal(jstr(item(f, "replaced", 1), "mxid"), "@3:hs.test");
	left_is(f, "local_threepid_associations 1 spelling\n"
		   "local_threepid_associations 3 spelling\n");
}

static void a_peers_association_wins_only_if_it_is_newer(void **state)
{
	struct fixture *f = *state;

	run(f, BIND "(1, 'email', 'a@x.test', NULL, 9, NULL, NULL, NULL),"
		    "(2, 'email', 'b@x.test', '@b:hs.test', 5, 6, 7, NULL),"
		    "(3, 'email', 'c@x.test', '@c:hs.test', 5, 6, 7, NULL);" PUSH
		    "(1, 'email', 'a@x.test', '@p:p.test', 8, 6, 7, 'p.test', 1, '{}', NULL),"
		    "(2, 'email', 'b@x.test', '@p:p.test', 6, 6, 7, 'p.test', 2, '{}', NULL),"
		    "(3, 'email', 'c@x.test', '@p:p.test', 5, 6, 7, 'p.test', 3, '{}', NULL)");
	read_well(f);
	assert_null(jstr(item(f, "binding", 1), "mxid"));
	assert_string_equal(jstr(item(f, "binding", 0), "address"), "c@x.test");
	assert_int_equal(jint(item(f, "peer_binding", 0), "number", 0), 2);
	assert_null(item(f, "peer_binding", 1));
	left_is(f, "global_threepid_associations 1 older\nlocal_threepid_associations 2 older\n"
		   "global_threepid_associations 3 older\n");
}

static void what_it_copied_of_itself_is_its_own(void **state)
{
	struct fixture *f = *state;

	run(f, PUSH "(1, 'email', 'a@x.test', '@a:hs.test', 8, 6, 7, 'id.test', 1, '{}', NULL)");
	read_well(f);
	assert_string_equal(jstr(item(f, "binding", 0), "mxid"), "@a:hs.test");
}

static void a_peers_key_comes_along(void **state)
{
	struct fixture *f = *state;
	json_t *peers = NULL;

	run(f, "INSERT INTO peer_pubkeys VALUES (1, 'p.test', 'ed25519', 'abc')");
	run(f, PUSH "(1, 'email', 'a@x.test', '@a:p.test', 8, 6, 7, 'p.test', 1, '{}', NULL),"
		    "(2, 'email', 'b@x.test', '@b:q.test', 9, 6, 7, 'q.test', 1, '{}', NULL)");
	read_well(f);
	assert_string_equal(jstr(item(f, "peer_binding", 0), "public_key"), "abc");
	assert_null(jstr(item(f, "peer_binding", 1), "public_key"));
	assert_int_equal(sydent_peers(f->database, &peers, NULL), 0);
	assert_int_equal(json_array_size(peers), 1);
	json_decref(peers);
}

/* ---- the rest */

static void its_highest_number_is_told(void **state)
{
	struct fixture *f = *state;

	run(f, BIND "(41, 'email', 'a@x.test', '@a:hs.test', 1, 1, 2, NULL)");
	read_well(f);
	assert_int_equal(jint(item(f, "last_number", 0), "number", 0), 41);
}

static void a_token_goes_further_as_its_hash(void **state)
{
	struct fixture *f = *state;

	run(f, "CREATE TABLE tokens (token, user_id);"
	       "INSERT INTO tokens VALUES ('abc', '@a:hs.test'), ('', '@b:hs.test'), (1, 2)");
	read_well(f);
	assert_string_equal(jstr(item(f, "token", 0), "sha256"),
			    "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
	left_is(f, "tokens 2 bad_token\ntokens 3 bad_type\n");
}

static void a_session_without_a_token_must_be_validated(void **state)
{
	struct fixture *f = *state;

	run(f, "INSERT INTO threepid_validation_sessions VALUES "
	       "(1, 'email', 'a@x.test', 's', 0, 1699999999999),"
	       "(2, 'email', 'a@x.test', 's', 1, 1699999999999),"
	       "(3, 'email', 'a@x.test', 's', 0, 1699999999999),"
	       "(4, 'email', 'a@x.test', 's', 0, 1),"
	       "(5, 'email', 'a@x.test', 's', 1, 1800000000000);"
	       "INSERT INTO threepid_token_auths VALUES (1, 3, 'token', -1), (2, 4, 'token', -1)");
	read_well(f);
	assert_string_equal(jstr(item(f, "session", 0), "id"), "2");
	assert_string_equal(jstr(item(f, "session", 1), "token"), "token");
	/* Its clock was wrong: it ends no later than others. */
	assert_int_equal(jint(item(f, "session", 2), "touched_ts", 0), NOW);
	left_is(f, "threepid_validation_sessions 1 bad_token\n"
		   "threepid_validation_sessions 4 over\n");
}

static void the_seconds_of_invites_become_milliseconds(void **state)
{
	struct fixture *f = *state;

	run(f, "INSERT INTO invite_tokens VALUES "
	       "(1, 'email', 'a@x.test', '!r:x', '@b:x', 't', 1600000000, NULL),"
	       "(2, 'email', 'a@x.test', '!r:x', '@b:x', 'u', NULL, 1600000001)");
	read_well(f);
	assert_int_equal(jint(item(f, "invite", 0), "received_ts", 0), 1600000000000);
	assert_int_equal(jint(item(f, "invite", 0), "sent_ts", -1), 0);
	assert_int_equal(jint(item(f, "invite", 1), "sent_ts", 0), 1600000001000);
}

/* ---- other people's databases */

static void a_cell_of_another_type_leaves_its_row(void **state)
{
	struct fixture *f = *state;

	run(f, BIND "(1, 'email', x'61', '@a:hs.test', 1, 1, 2, NULL),"
		    "(2, 'email', 'b@x.test', '@a:hs.test', '1', 1, 2, NULL),"
		    "(3, 'email', 'c@x.test', '@a:hs.test', 1.5, 1, 2, NULL),"
		    "(4, 'email', 'd@x.test', '@a:hs.test', 9007199254740992, 1, 2, NULL),"
		    "(5, 'email', CAST(x'ff40' AS TEXT), '@a:hs.test', 1, 1, 2, NULL)");
	read_well(f);
	assert_null(item(f, "binding", 0));
	left_is(f, "local_threepid_associations 1 bad_type\n"
		   "local_threepid_associations 2 bad_type\n"
		   "local_threepid_associations 3 bad_type\n"
		   "local_threepid_associations 4 bad_number\n"
		   "local_threepid_associations 5 bad_text\n");
}

static void a_view_in_a_tables_place_is_not_run(void **state)
{
	struct fixture *f = *state;
	struct mx_error err = { 0 };

	run(f, "DROP TABLE invite_tokens");
	sqlite3_db_config(f->database, SQLITE_DBCONFIG_ENABLE_VIEW, 1, NULL);
	run(f, "CREATE VIEW invite_tokens AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL "
	       "SELECT x + 1 FROM c) SELECT x AS id FROM c");
	assert_int_equal(sydent_check(f->database, &err), -MX_INVALID_PARAM);
	assert_string_equal(err.text, "That is no database of a Sydent");
	read_well(f);
}

static void a_table_that_lacks_a_column_ends_the_reading(void **state)
{
	struct fixture *f = *state;
	struct mx_error err = { 0 };

	run(f, "DROP TABLE invite_tokens; CREATE TABLE invite_tokens (id INTEGER PRIMARY KEY)");
	assert_int_equal(read_all(f, &err), -MX_INVALID_PARAM);
	assert_non_null(strstr(err.text, "invite_tokens cannot be read"));
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(an_association_is_handed_over_with_its_times),
		test(a_tombstone_is_one_without_a_user),
		test(the_newest_of_all_spellings_wins),
		test(a_peers_association_wins_only_if_it_is_newer),
		test(what_it_copied_of_itself_is_its_own),
		test(a_peers_key_comes_along),
		test(its_highest_number_is_told),
		test(a_token_goes_further_as_its_hash),
		test(a_session_without_a_token_must_be_validated),
		test(the_seconds_of_invites_become_milliseconds),
		test(a_cell_of_another_type_leaves_its_row),
		test(a_view_in_a_tables_place_is_not_run),
		test(a_table_that_lacks_a_column_ends_the_reading),
	};
	return cmocka_run_group_tests_name("import/sydent", tests, NULL, NULL);
}
