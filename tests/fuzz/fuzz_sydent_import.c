/*
 * Databases of strangers that say they are a Sydent's. What begins with 'S' is a file as it is;
 * anything else is rows: a table, then cells of any type, until the input ends.
 * What is handed over is text that can be sent, and associations are read or refused.
 */
#include "tests/fuzz/fuzz.h"

#include "identity/binding/association.h"
#include "identity/import/sydent.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/crypto/ed25519.h"
#include "shared/json/json.h"

#include <sqlite3.h>

#define INPUT_MAX (256 * 1024)
#define ROWS_MAX  200

static const struct {
	const char *create, *insert;
	int cells; /* behind the id */
} tables[] = {
	{ "CREATE TABLE local_threepid_associations (id INTEGER PRIMARY KEY, medium, address, "
	  "mxid, ts, notBefore, notAfter)",
	  "INSERT OR IGNORE INTO local_threepid_associations VALUES (NULL, ?, ?, ?, ?, ?, ?)", 6 },
	{ "CREATE TABLE global_threepid_associations (id INTEGER PRIMARY KEY, medium, address, "
	  "mxid, ts, notBefore, notAfter, originServer, originId, sgAssoc)",
	  "INSERT OR IGNORE INTO global_threepid_associations VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, "
	  "?, ?)",
	  9 },
	{ "CREATE TABLE threepid_validation_sessions (id INTEGER PRIMARY KEY, medium, address, "
	  "clientSecret, validated, mtime)",
	  "INSERT OR IGNORE INTO threepid_validation_sessions VALUES (NULL, ?, ?, ?, ?, ?)", 5 },
	{ "CREATE TABLE threepid_token_auths (id INTEGER PRIMARY KEY, validationSession, token)",
	  "INSERT OR IGNORE INTO threepid_token_auths VALUES (NULL, ?, ?)", 2 },
	{ "CREATE TABLE invite_tokens (id INTEGER PRIMARY KEY, medium, address, room_id, sender, "
	  "token, received_ts, sent_ts)",
	  "INSERT OR IGNORE INTO invite_tokens VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)", 7 },
	{ "CREATE TABLE peer_pubkeys (id INTEGER PRIMARY KEY, peername, alg, key)",
	  "INSERT OR IGNORE INTO peer_pubkeys VALUES (NULL, ?, ?, ?)", 3 },
	{ "CREATE TABLE ephemeral_public_keys (id INTEGER PRIMARY KEY, public_key)",
	  "INSERT OR IGNORE INTO ephemeral_public_keys VALUES (NULL, ?)", 1 },
	{ "CREATE TABLE hashing_metadata (id INTEGER PRIMARY KEY, lookup_pepper)",
	  "INSERT OR IGNORE INTO hashing_metadata VALUES (NULL, ?)", 1 },
	{ "CREATE TABLE accounts (user_id, created_ts)",
	  "INSERT OR IGNORE INTO accounts VALUES (?, ?)", 2 },
	{ "CREATE TABLE tokens (token, user_id)", "INSERT OR IGNORE INTO tokens VALUES (?, ?)", 2 },
	{ "CREATE TABLE accepted_terms_urls (user_id, url)",
	  "INSERT OR IGNORE INTO accepted_terms_urls VALUES (?, ?)", 2 },
};

#define TABLES (sizeof(tables) / sizeof(tables[0]))

/* ---- rows out of bytes */

struct input {
	const uint8_t *at;
	size_t left;
};

static uint8_t next_byte(struct input *input)
{
	if (!input->left)
		return 0;
	input->left--;
	return *input->at++;
}

/* A type, then its bytes: up to eight of a number; of text and blobs their length, then they. */
static void bind_cell(sqlite3_stmt *statement, int i, struct input *input)
{
	uint8_t type = next_byte(input), len = next_byte(input);
	size_t bytes = len < input->left ? len : input->left;
	int64_t number = 0;

	switch (type % 5) {
	case 0: sqlite3_bind_null(statement, i); return;
	case 1:
		for (unsigned k = 0; k < len % 9u; k++)
			number = (int64_t)((uint64_t)number << 8 | next_byte(input));
		sqlite3_bind_int64(statement, i, number);
		return;
	case 2: sqlite3_bind_double(statement, i, len / 2.0); return;
	case 3:
		sqlite3_bind_text(statement, i, (const char *)input->at, (int)bytes,
				  SQLITE_TRANSIENT);
		break;
	case 4: sqlite3_bind_blob(statement, i, input->at, (int)bytes, SQLITE_TRANSIENT); break;
	}
	input->at += bytes;
	input->left -= bytes;
}

static void insert_row(sqlite3 *database, struct input *input)
{
	size_t table = next_byte(input) % TABLES;
	sqlite3_stmt *statement;

	FUZZ_ASSERT(sqlite3_prepare_v2(database, tables[table].insert, -1, &statement, NULL) ==
		    SQLITE_OK);
	for (int i = 1; i <= tables[table].cells; i++)
		bind_cell(statement, i, input);
	sqlite3_step(statement);
	sqlite3_finalize(statement);
}

static void fill_rows(sqlite3 *database, struct input input)
{
	for (size_t i = 0; i < TABLES; i++)
		FUZZ_ASSERT(sqlite3_exec(database, tables[i].create, NULL, NULL, NULL) ==
			    SQLITE_OK);
	for (int i = 0; input.left && i < ROWS_MAX; i++)
		insert_row(database, &input);
}

/* ---- what comes of it */

static void read_association(const json_t *item)
{
	mx_arena_auto *mem = mx_arena_new(0);
	const struct association_source source = {
		.origin = jstr(item, "origin"),
		.number = (uint64_t)jint(item, "number", 0),
	};
	struct binding binding;

	if (association_read(jslice(item, "association"), &source, mem, &binding, NULL))
		return;
	FUZZ_ASSERT(binding.threepid.medium && binding.threepid.address);
	FUZZ_ASSERT(association_read(binding.signed_json, &source, mem, &binding, NULL) == 0);
}

static int take(void *ctx, const struct import_row *row, json_t *item, struct mx_error *err)
{
	mx_autofree char *text = mx_json_text(item);

	(void)ctx;
	(void)err;
	FUZZ_ASSERT(row->table && jstr(item, "kind") && text);
	if (streq(jstr(item, "kind"), "peer_binding"))
		read_association(item);
	json_decref(item);
	return 0;
}

static void leave(void *ctx, const struct import_row *row, const char *why)
{
	(void)ctx;
	FUZZ_ASSERT(row->table && strchr(why, ':'));
}

static void read_database(sqlite3 *database)
{
	const struct sydent_reading reading = { "id.test", INT64_C(1700000000000) };
	const struct import_visitor visitor = { take, leave, NULL };
	struct mx_error err = { 0 };
	json_t *peers = NULL;

	if (sydent_check(database, &err)) {
		FUZZ_ASSERT(*err.text);
		return;
	}
	FUZZ_ASSERT(sydent_read(database, &reading, &visitor, &err) == 0 || *err.text);
	if (sydent_peers(database, &peers, &err) == 0)
		json_decref(peers);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const unsigned flags = SQLITE_DESERIALIZE_READONLY | SQLITE_DESERIALIZE_FREEONCLOSE;
	const struct input rows = { data, size };
	unsigned char *copy;
	sqlite3 *database;

	if (size == 0 || size > INPUT_MAX)
		return 0;
	mx_crypto_init();
	FUZZ_ASSERT(sqlite3_open(":memory:", &database) == SQLITE_OK);
	if (data[0] == 'S') {
		copy = sqlite3_malloc64(size);
		memcpy(copy, data, size);
		sqlite3_deserialize(database, "main", copy, (sqlite3_int64)size,
				    (sqlite3_int64)size, flags);
	} else {
		fill_rows(database, rows);
	}
	sydent_guard(database);
	read_database(database);
	sqlite3_close(database);
	return 0;
}
