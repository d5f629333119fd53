/* Compiled filters: those that were used lately are kept. Locks: its own, a leaf. */
#pragma once

struct filter;
struct filters;
struct hs_call;
struct mx_error;

struct filters *filters_new(void);
/* NULL does nothing. */
void filters_free(struct filters *filters);

/*
 * What a query's `filter` says: JSON, or the id of one that the user has stored; NULL lets
 * everything through. The caller unrefs it. Needs neither view nor txn of the call. -MX_NOT_FOUND,
 * or as filter_parse().
 */
int filters_find(const struct hs_call *call, const char *user_id, const char *text,
		 struct filter **ret_filter, struct mx_error *err);
