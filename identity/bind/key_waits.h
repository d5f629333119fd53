/*
 * Who waits for the key of a homeserver. Anybody may ask for an unbind in the name of any server,
 * and each holds a thread until that server has answered: so only some may at once, and few of one
 * network. Threads for those who sign in remain.
 */
#pragma once

struct key_waits;
struct mx_error;

/* threads: of the lane that waits for the network. */
struct key_waits *key_waits_new(unsigned threads);
void key_waits_free(struct key_waits *waits);

/* A place for a client's address, to be left with *ret_place. -MX_LIMIT_EXCEEDED if there is none
 * for it now. Thread-safe. */
int key_waits_enter(struct key_waits *waits, const char *client, unsigned *ret_place,
		    struct mx_error *err);
void key_waits_leave(struct key_waits *waits, unsigned place);
