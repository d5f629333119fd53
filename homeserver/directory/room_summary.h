/* What strangers may know of a room. Spec: client-server API, "Room Summaries". */
#pragma once

#include <jansson.h>

struct hs_call;
struct mx_error;

/* user_id: NULL for anybody. The summary is the caller's. -MX_NOT_FOUND also for rooms that are
 * none of theirs. */
int room_summary_load(const struct hs_call *call, const char *room_id, const char *user_id,
		      json_t **ret_summary, struct mx_error *err);
