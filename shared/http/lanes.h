/* The pools that run what may not run on an I/O thread. Queues are bounded: what does not fit is
 * refused at once instead of being answered too late. */
#pragma once

#include "shared/http/route.h"

#include <stdbool.h>
#include <stdint.h>

struct exchange;
struct lanes;

#define LANE_QUEUE_MAX 1024 /* waiting requests of a pool */

struct lanes *lanes_new(unsigned work_threads, unsigned net_threads,
			void (*run)(struct exchange *ex, enum route_lane lane));
/* Runs what is queued, waits for what runs, ends the threads. */
void lanes_free(struct lanes *lanes);

/* False if the queue is full; the caller then still owns ex. */
bool lanes_push(struct lanes *lanes, struct exchange *ex, enum route_lane lane);

/* For what was admitted before and waited elsewhere: never refused. */
void lanes_push_again(struct lanes *lanes, struct exchange *ex, enum route_lane lane);

/* Waiting requests. */
unsigned lanes_queued(struct lanes *lanes, enum route_lane lane);
