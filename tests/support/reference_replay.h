/* A stored room computed once more from its events alone, slowly and by lists: what the daemon
 * keeps of it is held against that. */
#pragma once

#include <stdint.h>

struct hs_call;
struct mx_str;

/*
 * Goes through all events of the room in the order of their numbers: state before and after each,
 * whether the rules allow it, the newest events, the room's state and its members. Appends a line
 * for whatever is otherwise in the records; how many lines. The call reads (a view), and its memory
 * holds everything.
 */
unsigned reference_replay(const struct hs_call *call, uint32_t room, struct mx_str *out);
