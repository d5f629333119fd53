/* What is to be done now and then without anybody asking: removing what is over. One thread does
 * all of it, one after the other. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct chores;

struct chore {
	const char *name; /* for the log */
	int64_t every_ms;
	/* May take its time, but not wait for the network. How much was done. */
	size_t (*run)(void *ctx, int64_t now_ms);
	bool at_start; /* the first time at once, not when its time has passed */
};

/* ctx: what the chores are of. The list stays. */
struct chores *chores_start(void *ctx, const struct chore *list, size_t len);
/* Returns when none is under way. NULL does nothing. */
void chores_stop(struct chores *chores);
