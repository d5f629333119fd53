/* A thread that runs what is due: typing and presence end without anybody asking. */
#pragma once

#include <stdint.h>

struct ticker;

/* run: does what is due at this monotonic time, returns when it wants to be called next
 * (INT64_MAX: not before ticker_wake()). */
struct ticker *ticker_start(const char *name, int64_t (*run)(void *ctx, int64_t mono_ms),
			    void *ctx);
/* Something may be due earlier. Any thread; run may not be under way in a lock of the caller's. */
void ticker_wake(struct ticker *ticker);
/* Returns when run is not under way. NULL does nothing. */
void ticker_stop(struct ticker *ticker);
