/* Guests stay where they may. Spec: client-server API, "Guest Access", server behaviour. */
#pragma once

struct mx_error;
struct room_turn;

/* The room's m.room.guest_access was said anew: where it does not let guests in, those of this
 * server leave. */
int guests_put_out(struct room_turn *turn, struct mx_error *err);
