/* The gates in their order, the handler, the commit, the reply. */
#pragma once

#include "shared/http/route.h"

#include <stdbool.h>

struct exchange;

/*
 * The headers are there and well framed: finds the route and its limits. 0, or why the request
 * is refused; then ex->reply may already know something about it.
 */
int dispatch_route(struct exchange *ex, const char *method);

/*
 * These are called on the I/O thread or in a lane. True: the reply is set and the caller,
 * being the I/O thread, may send it. False: ex was handed over and is not ours any more.
 */

/* Before a body goes to the disk: refuses whom memory knows to be nobody, makes ex->req.spool. */
int dispatch_spool(struct exchange *ex);

/* The body is there. */
bool dispatch_start(struct exchange *ex);

/* Runs the request in this lane until it is answered or handed over. */
bool dispatch_run(struct exchange *ex, enum route_lane lane);

/* Answers with what is set (rc 0) or with the error. */
bool dispatch_finish(struct exchange *ex, int rc);

/* Out of the park, on any thread: again from the start, or not at all. ex is handed over. */
void dispatch_again(struct exchange *ex);
void dispatch_gone(struct exchange *ex);
