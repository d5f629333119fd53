/* Downloads that wait for content. Locks: its own; the park's come after it. */
#pragma once

struct media_wait;
struct media_waits;
struct req_wake;

struct media_waits *media_waits_new(void);
/* When nobody waits any more. */
void media_waits_free(struct media_waits *waits);

/* Takes a reference of its own; media_wait_end() ends it. */
struct media_wait *media_waits_add(struct media_waits *waits, const char *id,
				   struct req_wake *wake);
void media_waits_wake(struct media_waits *waits, const char *id);
