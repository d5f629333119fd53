/*
 * Who wished to be forgotten when their account ended, and since when. In memory too, as every
 * event that is shown asks: as long as there is nobody, that costs one load. Spec: client-server
 * API, "Account deactivation", `erase`.
 */
#pragma once

#include "shared/core/slice.h"

#include <stdint.h>

struct hs;
struct hs_call;
struct mx_error;

/* Reads who there is, and follows the table. */
int erased_open(struct hs *hs, struct mx_error *err);
void erased_close(struct hs *hs);

/* With a txn: from call->now_ms on, unless it was earlier. */
int erased_add(const struct hs_call *call, const char *user);
/* 0: not at all. Any thread. */
int64_t erased_since(const struct hs *hs, struct mx_slice user);
