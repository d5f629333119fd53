/* uia: id → whose, for what, when made, completed stages, what is kept. */
#pragma once

#include "homeserver/account/uia.h"

struct store_table;

extern const struct store_table uia_table;

/* -MX_NOT_FOUND. Strings in call->mem; the trees are the caller's. */
int uia_db_load(const struct hs_call *call, const char *id, struct uia_session *ret_session);
void uia_db_put(const struct hs_call *call, const struct uia_session *session);
void uia_db_delete(const struct hs_call *call, const char *id);

/* Removes those made before; how many. */
struct store;
size_t uia_db_reap(struct store *store, int64_t before_ms);
