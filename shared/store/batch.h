/* What every engine does with batches while it applies them: outcomes, chains, stamps. */
#pragma once

#include "shared/store/engine.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A group is about to be tried, perhaps not for the first time. What was refused for want of room
 * stays refused. */
void store_group_begin(struct store_batch *const *group, size_t len);

/* False: it fails, and batch->rc says how. */
bool store_batch_admit(struct store_batch *batch);

/* The batch ended, one way or the other: its chain learns of it. */
void store_batch_end(struct store_batch *batch);

/* Fills the stamp into the rows that have one. */
void store_batch_stamp(struct store_batch *batch, uint64_t stamp);

/* The group is published: chains whose batches failed are broken for all to see. */
void store_group_settle(struct store_batch *const *group, size_t len);
