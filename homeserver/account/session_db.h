/* session: id → user, device, when made, hashes of its tokens. */
#pragma once

#include "homeserver/account/session.h"

struct store_table;

extern const struct store_table session_table;

/* -MX_NOT_FOUND. Strings in call->mem. */
int session_db_load(const struct hs_call *call, struct mx_slice id, struct session *ret_session);
void session_db_put(const struct hs_call *call, const struct session *session);
void session_db_delete(const struct hs_call *call, const char *id);

/* The id of a row, for store_watch(); false for a broken key. */
struct mx_str;
bool session_db_read_key(struct mx_slice key, struct mx_str *ret_id);
