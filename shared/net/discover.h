/* From a Matrix server name to where it is. Spec: server-server API, "Resolving server names".
 * Used by net.c on its thread; others read the trace. */
#pragma once

#include "shared/core/slice.h"

#include <jansson.h>
#include <stdint.h>

struct net;

/* What discovery knows about a name and how it got there, for `verify` and inspection:
 * {"steps":[{"what":"well-known","result":"…"}],"host":…,"port":…,"tls_name":…,
 * "addresses":[…]}. Waits up to timeout_ms. The caller owns it. */
json_t *net_discover_trace(struct net *net, const char *server, int64_t timeout_ms);
