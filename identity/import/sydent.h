/*
 * Sydent's database, read to be taken over. It may be anybody's file: it is opened for reading
 * only, without views, triggers or extensions, and every cell must be of its type and size.
 */
#pragma once

#include <jansson.h>
#include <stdint.h>

struct mx_error;
struct sqlite3;

/* Where an item comes from: addresses and users are not for the terminal. */
struct import_row {
	const char *table;
	int64_t number;
};

struct import_visitor {
	/* What is to be taken over, as the schema identity/import has it; owned by the visitor.
	 * Not 0 ends the reading with it. */
	int (*take)(void *ctx, const struct import_row *row, json_t *item, struct mx_error *err);
	/* A row that is not; why: "older: …" for what another row replaces, "over: …" for what has
	 * ended; "spelling: …" for what another row replaces that spells the address otherwise;
	 * anything else for what cannot be. */
	void (*leave)(void *ctx, const struct import_row *row, const char *why);
	void *ctx;
};

struct sydent_reading {
	const char *server_name; /* of the associations that are its own */
	int64_t now_ms;
};

/* Opened for reading and nothing else. -MX_INVALID_PARAM with the reason for a file that is none,
 * that is damaged, or that Sydent is still writing to. */
int sydent_open(const char *path, struct sqlite3 **ret_database, struct mx_error *err);
void sydent_close(struct sqlite3 *database);

/* Limits of what its SQL may do; part of sydent_open(). */
void sydent_guard(struct sqlite3 *database);
/* Whether it is a Sydent's, and whole; part of sydent_open(). */
int sydent_check(struct sqlite3 *database, struct mx_error *err);

/* Everything, in an order in which it can be taken over. Of the associations of one address, the
 * newest. */
int sydent_read(struct sqlite3 *database, const struct sydent_reading *reading,
		const struct import_visitor *visitor, struct mx_error *err);

/* The peers that it replicates with: [{"name", "public_key"}], owned by the caller. */
int sydent_peers(struct sqlite3 *database, json_t **ret_peers, struct mx_error *err);
