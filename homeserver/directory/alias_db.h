/* Records of aliases: where they lead, who made them, which ones lead to a room. */
#pragma once

#include <stddef.h>

struct hs_call;
struct store_table;

extern const struct store_table *const alias_tables[];

struct alias {
	const char *name, *room_id, *creator;
};

struct alias_list {
	struct alias *items;
	size_t len;
};

#define ALIASES_PER_ROOM 1000 /* as many are listed, and moved by an upgrade */

/* Strings in call->mem. -MX_NOT_FOUND. */
int alias_db_load(const struct hs_call *call, const char *name, struct alias *ret_alias);
/* By their names. */
int alias_db_list(const struct hs_call *call, const char *room_id, struct alias_list *ret_list);

/* With call->txn. */
void alias_db_put(const struct hs_call *call, const struct alias *alias);
void alias_db_delete(const struct hs_call *call, const struct alias *alias);
