/* Request targets: raw bytes to decoded segments and query pairs. RFC 9112, 3.2; RFC 3986, 2.
 * Split first, decode each piece after: "%2F" never becomes a separator. */
#pragma once

#include "shared/core/slice.h"

#include <stdbool.h>

struct mx_arena;
struct mx_error;

#define TARGET_SEGMENTS_MAX 32
#define TARGET_PAIRS_MAX    256

struct target_pair {
	const char *name, *value; /* decoded; without '=' the value is "" */
};

struct target {
	const char *raw; /* "/path?query" as it came: what X-Matrix signs */
	const char *segments[TARGET_SEGMENTS_MAX]; /* decoded */
	unsigned len;
	bool slash; /* ends with '/', and is not "/" */
	struct target_pair *pairs;
	unsigned pairs_len;
};

/* What came. */
struct target_line {
	struct mx_slice raw;
	struct mx_slice host; /* the Host header; may be NULL */
	bool plus_is_blank; /* in the query, see struct http_app; else '+' stays '+' */
};

/*
 * Everything lives in mem. An absolute target is accepted if it names the host. -MX_BAD_HTTP: not a
 * target of ours, or bytes that no URI has. -MX_INVALID_PARAM: broken escapes, %00, invalid UTF-8,
 * dot segments, too many pieces.
 */
int target_parse(const struct target_line *line, struct mx_arena *mem, struct target *ret_target,
		 struct mx_error *err);

/* Percent-decodes in place. False for broken escapes, %00 and what is no UTF-8 then. */
bool target_decode(char *text);

/* The value of the first pair of that name, or NULL. */
const char *target_query(const struct target *target, const char *name);
