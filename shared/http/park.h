/* Requests that wait without a thread: suspended in the library, woken by anybody, by their
 * deadline, or because their client left. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct exchange;
struct park;

/* What may happen to a parked request; called on the waker's or the park's thread, which then
 * owns the exchange no longer. */
struct park_calls {
	void (*run)(struct exchange *ex); /* woken, or req.timed_out */
	void (*gone)(struct exchange *ex); /* its client left */
};

struct park *park_new(const struct park_calls *calls);
/* Nothing may be parked or waiting to be resumed. */
void park_free(struct park *park);

/*
 * After a handler returned -MX_PARK, with the connection suspended. True: somebody else owns ex
 * from now on. False: it was woken already, or its time is over: run it again.
 */
bool park_wait(struct park *park, struct exchange *ex);

/* The request ends: its wake handle does nothing from now on. */
void park_forget(struct exchange *ex);

/*
 * Lets the library go on with a suspended connection; its I/O thread owns ex from now on.
 * The library looks through all suspended connections of a thread at every resume, so when there
 * are many, resumes are collected for a few milliseconds and done in one sweep.
 */
void park_resume(struct park *park, struct exchange *ex);

/* Of the connection's I/O thread: before handing ex over (false after park_refuse(): it stays with
 * the caller), and when it is back. */
bool park_suspend(struct park *park, struct exchange *ex);
void park_back(struct park *park, struct exchange *ex);

/* From now on nothing waits: what is parked runs with req.timed_out. */
void park_close(struct park *park);

/* From now on nobody is suspended, so that park_suspended() gets to 0 and stays there: the library
 * aborts if it is stopped with suspended connections. */
void park_refuse(struct park *park);

unsigned park_parked(struct park *park);
unsigned park_suspended(struct park *park);
