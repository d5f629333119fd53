/* Who is typing where. Lives in memory only. Spec: client-server API, "Typing Notifications".
 * Locks: its own, a leaf. */
#pragma once

#include "shared/core/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hs;
struct mx_arena;
struct typing;

#define TYPING_ROOM_MAX   100 /* people who type in one room; more are not shown */
#define TYPING_ROOMS_MAX  10000 /* rooms where somebody types or did lately */
#define TYPING_MS_MAX     (120 * 1000)
#define TYPING_MS_DEFAULT (30 * 1000)

/* Ticks and wakes by hs->stream. */
struct typing *typing_start(struct hs *hs);
/* NULL does nothing. */
void typing_stop(struct typing *typing);

/* The user types for so long, or (0) does not any more. Membership is the caller's to check. */
void typing_set(struct typing *typing, uint32_t room, struct mx_slice user_id, int64_t for_ms);

/* Whether a /sync that knows everything up to this tick of stream.h has to show the list. 0 knows
 * nothing: only where somebody types. What was shown before the start has to be shown again. */
bool typing_changed(struct typing *typing, uint32_t room, uint64_t after);

struct typing_list {
	struct mx_slice *user_ids;
	size_t len;
};
/* Who types now, in mem. */
void typing_list(struct typing *typing, uint32_t room, struct mx_arena *mem,
		 struct typing_list *ret_list);

/* Ends what is over by this monotonic time; when it wants to be called next. For its thread, and
 * tests. */
int64_t typing_run(void *typing, int64_t mono_ms);
