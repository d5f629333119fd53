/* The text of signing-key files, apart from the files. */
#pragma once

#include "shared/core/slice.h"

#include <stddef.h>

struct mx_error;
struct mx_keyring;

#define MX_KEYFILE_MAX      (64u * 1024) /* bytes of one file */
#define MX_KEYFILE_KEYS_MAX 64 /* keys, old ones included, in one file */

/* Any of the formats that mx_keyfile_load() reads. -MX_BAD_KEY with line number and reason. The
 * caller wipes text. */
int mx_keyfile_text_parse(struct mx_slice text, struct mx_keyring *ret_ring, struct mx_error *err);

/*
 * Synapse's format. NULL with -MX_BAD_KEY in err if it could not be read back: no signing key,
 * too many keys, or an id twice. Otherwise to be released with sodium_free(); NUL-terminated.
 */
char *mx_keyfile_text_format(const struct mx_keyring *ring, size_t *ret_len, struct mx_error *err);
