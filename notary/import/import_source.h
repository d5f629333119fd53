/* Key objects as other software keeps them. Nothing is verified here: the daemon does that. */
#pragma once

#include "shared/core/slice.h"

struct mx_error;

struct import_visitor {
	/* Every object; slices are borrowed for the call. Not 0 ends the reading with it. */
	int (*visit)(void *ctx, struct mx_slice server, struct mx_slice object,
		     struct mx_error *err);
	/* What cannot be one: "line 7", and why. The reading goes on. */
	void (*refuse)(void *ctx, struct mx_slice what, const char *why);
	void *ctx;
};

/* Synapse's table server_keys_json; source: the path of an SQLite database, or a
 * postgresql:// address. Opened for reading only. */
int import_synapse(const char *source, const struct import_visitor *visitor, struct mx_error *err);

/* matrix-key-server's tables remote_servers, remote_keys and remote_signatures, from a
 * postgresql:// address: each server's object is put together from its rows. */
int import_key_server(const char *source, const struct import_visitor *visitor,
		      struct mx_error *err);

/* What `trinity-notary export` writes: {"server":…,"object":…} a line; "-" is standard input. */
int import_lines(const char *source, const struct import_visitor *visitor, struct mx_error *err);
