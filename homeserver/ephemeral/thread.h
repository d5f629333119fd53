/* Which events are in which thread. Spec: client-server API, "Threaded read receipts". */
#pragma once

#include "shared/core/slice.h"

struct hs_call;
struct stored_event;

#define THREAD_MAIN "main"

/* 0 if the event is in the thread, named by its root or THREAD_MAIN; a root is in both.
 * -MX_NOT_FOUND if it is in another one. */
int thread_check(const struct hs_call *call, const struct stored_event *event,
		 struct mx_slice thread_id);
