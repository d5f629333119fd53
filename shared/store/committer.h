/* The one thread that writes: takes what is waiting, applies it as one group, then answers. */
#pragma once

#include "shared/store/engine.h"

#define STORE_GROUP_MAX       256
#define STORE_GROUP_BYTES_MAX (8u * 1024 * 1024) /* one batch may be larger */

struct store_committer;

struct store_committer *store_committer_new(struct store_engine *engine,
					    struct mx_metrics *metrics);
/* Applies what waits, then ends the thread. */
void store_committer_free(struct store_committer *committer);

/* See store_watch(). */
void store_committer_watch(struct store_committer *committer, unsigned table, store_watch_fn *fn,
			   void *ctx);

/* See store_watch_stamps(). */
void store_committer_watch_stamps(struct store_committer *committer, store_stamp_fn *fn, void *ctx);

/* Batches are applied in the order of these calls. batch->done is called on the committer's
 * thread; from then on the batch is its maker's again. */
void store_committer_push(struct store_committer *committer, struct store_batch *batch);
