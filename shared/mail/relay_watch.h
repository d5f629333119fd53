/* Whether the relay is in order: what became of the last mails, and a probe now and then, so that
 * a dead relay is known before somebody needs it. */
#pragma once

#include "shared/outbox/outbox.h"

#include <stdbool.h>

struct mx_error;
struct relay_watch;

/* probe waits; 0 or -MX_REMOTE_…, soon once hurry is true. */
struct relay_watch *relay_watch_new(int (*probe)(void *ctx, const _Atomic bool *hurry,
						 struct mx_error *err),
				    void *ctx);
/* Probes at once, then every five minutes without a mail; a relay that is out of order is probed
 * more often, so that its return is noticed. On a thread of its own. */
void relay_watch_start(struct relay_watch *watch);
void relay_watch_stop(struct relay_watch *watch);
void relay_watch_free(struct relay_watch *watch);

/* What became of an attempt to send a mail. */
void relay_watch_note(struct relay_watch *watch, enum outbox_result result,
		      const struct mx_error *err);
/* A probe now. */
int relay_watch_probe(struct relay_watch *watch, struct mx_error *err);
/* Another relay: nothing is known of it. */
void relay_watch_reset(struct relay_watch *watch);

/* False if the last probe failed, or the last three mails did; why then. */
bool relay_watch_is_well(struct relay_watch *watch, char ret_why_not[256]);
