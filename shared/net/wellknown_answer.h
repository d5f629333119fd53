/* Reading a /.well-known/matrix/server answer: what it delegates to, and how long it may be
 * kept. Spec: server-server API, "Resolving server names", step 3. */
#pragma once

#include "shared/core/slice.h"

#include <stdbool.h>
#include <stdint.h>

struct mx_arena;
struct mx_error;

#define NET_WELLKNOWN_BYTES (50 * 1024)

/* The value of m.server, in mem. -MX_BAD_JSON or -MX_INVALID_PARAM say what is wrong. */
int net_wellknown_parse(struct mx_slice body, struct mx_arena *mem, const char **ret_server,
			struct mx_error *err);

/* What caching headers asked for; RFC 9111. */
struct net_freshness {
	bool given; /* they said something */
	int64_t lifetime_ms; /* from now on; 0 or more */
};

/* headers: "Name: value" lines of one answer, ended by line feeds; others than Cache-Control,
 * Expires, Date and Age are skipped. */
struct net_freshness net_wellknown_freshness(struct mx_slice headers, int64_t now_ms);
