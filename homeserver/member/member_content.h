/* What stands in memberships. Spec: client-server API, "m.room.member". */
#pragma once

#include <jansson.h>

struct hs_call;
struct member_change;
struct mx_error;

/* Fills an empty object. host: who lets the target into a restricted room, or NULL. */
int member_content_make(const struct hs_call *call, const struct member_change *change,
			const char *host, json_t *ret_content);

/* Whether the target wants invites of the sender: -MX_INVITE_BLOCKED.
 * Spec: "Invite permission". */
int invite_permission_check(const struct hs_call *call, const struct member_change *change,
			    struct mx_error *err);
