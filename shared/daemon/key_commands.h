/* What the subcommands `key …` of the daemons have in common: they work on key files, and the
 * running daemon takes those over on reload. */
#pragma once

#include "shared/crypto/keyfile.h"

struct mx_error;

/* One word behind `key`. The exit status. */
struct key_command {
	const char *name;
	const char *argument; /* "FILE"; NULL: it has none, and run gets NULL */
	int (*run)(const void *conf, const char *argument);
};

/* Runs the one of the table (ended by { 0 }) that argv means; argv[0] is "key". */
int key_command_run(const char *program, const struct key_command *commands, const void *conf,
		    int argc, char **argv);

/* A key and its fingerprint, on standard output. */
void key_print(const char *id, const uint8_t public_key[MX_ED25519_PUBLIC_LEN], const char *role);

/* A new file with one key, which is printed; id NULL = a random one. -MX_CONFLICT for a file that
 * is there. */
int key_file_generate(const char *path, const char *id, struct mx_error *err);

/* Adds the keys in `path` to `into_path`, which may be new; what is there already stays as it is.
 * -MX_CONFLICT for an id that is there with other bytes: then nothing is added. */
int key_file_add(const char *path, const char *into_path, struct mx_error *err);

/* A fresh key signs from now on and is printed; the former ones become old. */
int key_file_rotate(const char *path, struct mx_error *err);

/* A signing key becomes old. -MX_NOT_FOUND; -MX_CONFLICT if it is old already, or the only one
 * that signs. */
int key_ring_retire(struct mx_keyring *ring, const char *id, struct mx_error *err);
