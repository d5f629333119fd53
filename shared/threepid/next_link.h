/* Where a browser goes after validation. Whoever asks for the mail chooses it, so only places that
 * the operator allows are accepted: the mail makes the link look like ours. */
#pragma once

#include "shared/core/slice.h"

#include <stdbool.h>
#include <stddef.h>

struct mx_arena;
struct mx_error;

#define NEXT_LINK_MAX 2000 /* bytes */

struct next_link_rules {
	const char *const *hosts; /* globs of host names: "*.example.org" */
	size_t hosts_len;
	bool http; /* http:// too */
};

/* An absolute https URL of an allowed host, without user names. -MX_INVALID_PARAM. */
int next_link_check(const struct next_link_rules *rules, const char *link, struct mx_error *err);

/* The link with sid in its query, unless it has one; in mem. */
const char *next_link_with_sid(const char *link, const char *sid, struct mx_arena *mem);
