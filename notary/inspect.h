/* What an operator may know of one server: history, fetches, decisions, conflicts. */
#pragma once

#include "shared/core/slice.h"

#include <jansson.h>

struct key_conflict;
struct key_fetch_state;
struct mx_arena;
struct mx_error;
struct notary;

/* {"server":…,"allowed":bool,"decision":…,"versions":[…],"conflicts":[…],"fetch":…}; times are
 * milliseconds in members ending in _ts. The caller owns it. */
int inspect_server(struct notary *notary, struct mx_slice server, json_t **ret_json,
		   struct mx_error *err);

/* {"server","key_id","kept","refused","first_seen_ts","last_seen_ts","count","source"} */
json_t *inspect_conflict(const struct key_conflict *conflict);

/* {"server","last_try_ts","last_success_ts","backed_off_until_ts","failures","took_ms",
 * "last_result","last_error"} */
json_t *inspect_fetch(const struct key_fetch_state *state);
