/* Redactions: who may, and what they do to what is stored.
 * Spec: client-server API, "Redactions"; room version 3, "Handling redactions". */
#pragma once

#include <stdbool.h>

struct mx_error;
struct mx_slice;
struct room_turn;

/* For a local user's wish, in all versions: one's own events, or with the level for it. The room
 * need not have the event. -MX_FORBIDDEN. */
int redaction_may(struct room_turn *turn, const char *sender, const char *event_id,
		  struct mx_error *err);
