/* Who may ask about a room at all. What of its history is visible is decided by
 * timeline/visibility.h. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct hs_call;
struct mx_error;

/* -MX_FORBIDDEN unless the user is joined, also for a room that is not here. */
int room_access_check_member(const struct hs_call *call, const char *room_id, const char *user_id,
			     struct mx_error *err);
/* The same, but anybody may where history is world-readable, and administrators. */
int room_access_check_reader(const struct hs_call *call, const char *room_id, const char *user_id,
			     struct mx_error *err);

bool room_access_is_joined(const struct hs_call *call, uint32_t room, const char *user_id);
