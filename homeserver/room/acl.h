/* Which servers a room keeps out. Spec: client-server API, "m.room.server_acl". */
#pragma once

#include "shared/core/slice.h"

#include <jansson.h>
#include <stdbool.h>

struct mx_error;

/* As a client writes it: -MX_BAD_JSON for what is no list, and for one that denies `own`. */
int acl_check(const json_t *content, const char *own, struct mx_error *err);

/* Whether the server may take part; its port does not matter, nor does its case. */
bool acl_allows(const json_t *content, struct mx_slice server);
