/* How much there is of everything, and how much of it happens, for Prometheus. Counts only: nothing
 * says whose. */
#pragma once

#include "shared/core/time.h"

#include <stdint.h>

struct identity;

#define CENSUS_MS MX_MINUTE_MS

/* Makes identity->counters. */
void census_open(struct identity *identity);

/* Counts what is stored, unless that would take more than a hundredth of the time. For a chore. */
void census_take(struct identity *identity, int64_t now_ms);
