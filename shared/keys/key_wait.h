/* Waiting for a fetch in straight-line code. */
#pragma once

#include "shared/core/slice.h"

#include <stdint.h>

struct key_fetcher;

/* key_fetch() and its rc, or -MX_REMOTE_TIMEOUT after at_most_ms; the fetch goes on then. */
int key_wait_fetch(struct key_fetcher *fetcher, struct mx_slice server, int64_t at_most_ms);
