/* Attempts to log in that failed: who had too many waits, by account and by address, whoever the
 * other is. In memory, bounded; a restart forgives. Any thread. */
#pragma once

#include "shared/core/slice.h"

#include <stdint.h>

struct attempts;
struct login_conf;

struct attempts *attempts_new(void);
void attempts_free(struct attempts *attempts);

/* 0, or how many milliseconds until the next attempt is allowed. */
int64_t attempts_wait_ms(struct attempts *attempts, const struct login_conf *conf,
			 struct mx_slice who);
void attempts_failed(struct attempts *attempts, const struct login_conf *conf, struct mx_slice who);
