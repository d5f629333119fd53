/*
 * The end of an account. In one transaction it loses its password, devices, tokens, addresses,
 * profile and, if its owner wants to be forgotten, its account data and filters; it never comes
 * back. What takes longer (rooms to leave, identity servers to tell) is written down with it and
 * done after, by whoever asked and, should the daemon end meanwhile, by a chore.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hs_call;
struct mx_error;
struct store_table;

extern const struct store_table *const ending_tables[];

struct ending {
	const char *user;
	bool erase; /* what it sent is redacted for those who come later */
	const char *id_server; /* to unbind everything from; NULL: where it was bound through us */
};

/* With a txn. -MX_NOT_FOUND; nothing happens to what ended before. */
int ending_begin(const struct hs_call *call, const struct ending *ending, struct mx_error *err);

/* The rest, durably; waits for rooms, and for the network. call has neither txn nor view. What
 * cannot be done now is left to the chore.
 * *ret_unbound: nothing of the account is bound any more. */
int ending_finish(const struct hs_call *call, const char *user, bool *ret_unbound,
		  struct mx_error *err);

/* Those that nobody finished; how many. For a chore; ctx is the struct hs. */
size_t endings_finish(void *hs, int64_t now_ms);
