/* What operators did, and why: append-only. Addresses in it are aliases of threepid.h. */
#pragma once

#include <jansson.h>
#include <stdint.h>

struct mx_arena;
struct store_table;
struct store_txn;
struct store_view;

extern const struct store_table audit_table;

struct audit_entry {
	const char *what; /* "unbind" */
	const char *whom; /* user id or alias; may be NULL */
	const char *why; /* the operator's words */
};

void audit_add(struct store_txn *txn, const struct audit_entry *entry, int64_t now_ms);
/* Newest first; {"entries":[{"ts","what","whom","why"}],"next"}. The caller owns it. */
json_t *audit_list(struct store_view *view, uint64_t before, unsigned limit, struct mx_arena *mem);
