/* What the subcommands `key …` of the daemons have in common: they work on key files, and the
 * running daemon takes those over on reload. */
#pragma once

#include "shared/crypto/keyfile.h"

struct mx_error;

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
