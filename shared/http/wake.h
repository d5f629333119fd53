/* Inside of a wake handle; shared by the park and its heap. */
#pragma once

#include "shared/core/due.h"
#include "shared/http/request.h"

#include <pthread.h>
#include <stdatomic.h>

struct exchange;
struct park;

/* Locks: a wake's own first, then the park's. */
struct req_wake {
	_Atomic unsigned refs;
	pthread_mutex_t lock;
	struct exchange *ex; /* NULL when the request has ended */
	struct park *park;
	bool woken;
	bool parked; /* whoever clears it owns the exchange */
	int64_t timeout_ms;
	struct mx_due due; /* in the park's heap, under its lock, like all below */
	int fd;
};
