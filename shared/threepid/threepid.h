/* Third-party identifiers in their canonical form. Spec: appendices, "3PID Types". */
#pragma once

#include "shared/core/slice.h"

#include <stdbool.h>

struct mx_arena;
struct mx_error;

#define THREEPID_ADDRESS_MAX 254

struct threepid {
	const char *medium; /* "email" or "msisdn" */
	const char *address; /* folded address; E.164 digits */
};

/*
 * From any spelling; strings in mem. -MX_INVALID_EMAIL, -MX_INVALID_ADDRESS (a msisdn that is
 * none), or -MX_INVALID_PARAM for another medium.
 */
int threepid_parse(const char *medium, const char *address, struct mx_arena *mem,
		   struct threepid *ret_threepid, struct mx_error *err);

bool threepid_same(const struct threepid *a, const struct threepid *b);

/* For logs and audits: a keyed hash that is the same for the same identifier until the next
 * start, never the address itself. 12 characters and NUL. */
void threepid_alias(const struct threepid *threepid, char ret_alias[13]);
