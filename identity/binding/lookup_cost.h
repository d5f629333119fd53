/* What look-ups cost their asker: many misses are somebody who tries addresses one after the
 * other. */
#pragma once

#include <stddef.h>

struct identity_call;
struct mx_error;

/*
 * Takes for `addresses` misses: before the look, as a refusal after it would tell hits from
 * misses. asker NULL pays nothing. -MX_LIMIT_EXCEEDED with err->retry_after_ms.
 */
int lookup_cost_take(const struct identity_call *call, const char *asker, size_t addresses,
		     struct mx_error *err);
/* Gives back what `hits` of them were taken too much for. */
void lookup_cost_settle(const struct identity_call *call, const char *asker, size_t hits);
