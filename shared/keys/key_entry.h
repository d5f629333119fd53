/* Entries: all versions of one server in a single immutable block of memory. */
#pragma once

#include "shared/keys/key_history.h"

/*
 * Copies everything into one block, sorted, with one reference. `prepared_free` not NULL: the
 * cost makes room for an answer that a user prepares from the sealed bytes.
 */
struct key_entry *key_entry_new(struct mx_slice server, const struct key_version *versions,
				size_t len, void (*prepared_free)(void *prepared));

struct key_entry *key_entry_ref(struct key_entry *entry);
