/* One question to the notary: which objects it gets, and which origins are asked for it.
 * Spec: server-server API, "Querying keys through another server". */
#pragma once

#include "shared/core/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mx_error;
struct notary;
struct query;
struct req;

/* No minimum_valid_until_ts was given: the time of the question counts. */
#define QUERY_NOW INT64_MIN

/* An empty question by the asker with this address. */
struct query *query_new(struct notary *notary, const char *asker);
void query_free(void *query);

/* Adds a wanted key; an empty key_id wants all of the server's. Names are copied. Wants of one
 * server must follow one another. */
void query_add(struct query *query, struct mx_slice server, struct mx_slice key_id,
	       int64_t minimum_ms);

/*
 * Answers r as far as memory (LANE_IO) or store (LANE_WORK) allow, and asks origins where that
 * does not suffice: 0 with the reply set, -MX_MOVE_WORK, or -MX_PARK to be called again. Every
 * origin is asked at most once for one question. When r->timed_out, what is there is the answer.
 * -MX_LIMIT_EXCEEDED only if the asker's budget left nothing at all to answer.
 */
int query_run(struct query *query, struct req *r);
