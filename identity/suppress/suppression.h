/*
 * Whom nobody writes to, whatever is asked for: an address, a domain with all below it, a number,
 * all numbers that begin with some digits. The store holds them; message/ asks before it queues.
 */
#pragma once

#include "shared/store/page.h"
#include "shared/threepid/threepid.h"

#include <stdint.h>

struct identity_call;
struct mx_arena;
struct mx_error;
struct store_table;

extern const struct store_table suppression_table;

struct suppression {
	const char *medium;
	const char *what; /* "ann@example.org", "@example.org"; "447700900001", "4477*" */
	const char *reason;
	int64_t since_ms;
};

/* From any spelling; strings in mem. -MX_INVALID_EMAIL, -MX_INVALID_ADDRESS, -MX_INVALID_PARAM. */
int suppression_parse(const char *medium, const char *what, struct mx_arena *mem,
		      struct suppression *ret_suppression, struct mx_error *err);

/* In place of an older one of the same. */
void suppression_add(const struct identity_call *call, const struct suppression *suppression);
/* -MX_NOT_FOUND. */
int suppression_remove(const struct identity_call *call, const struct suppression *suppression,
		       struct mx_error *err);

/* The narrowest that covers it, in call->mem. -MX_NOT_FOUND: it may be written to. */
int suppression_find(const struct identity_call *call, const struct threepid *threepid,
		     struct suppression *ret_suppression);

struct suppression_list {
	struct suppression *items;
	size_t len;
	struct mx_slice next;
};

int suppression_list(const struct identity_call *call, const struct page *page,
		     struct suppression_list *ret_list);
