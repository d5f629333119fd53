/* Whether saying something would change a room's state. */
#pragma once

struct event;
struct event_wish;
struct room_turn;

/* The event of the state that says exactly the same, by the same sender; NULL: none. */
const struct event *state_same(struct room_turn *turn, const struct event_wish *wish);
