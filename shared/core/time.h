/* Clocks in milliseconds. Tests replace them; nothing else reads the time. */
#pragma once

#include <stdint.h>

#define MX_SECOND_MS INT64_C(1000)
#define MX_MINUTE_MS (60 * MX_SECOND_MS)
#define MX_HOUR_MS   (60 * MX_MINUTE_MS)
#define MX_DAY_MS    (24 * MX_HOUR_MS)

/* Wall clock, since 1970: for what goes on the wire or into the store. May jump. */
int64_t mx_now_ms(void);

/* Monotonic: for deadlines and ages inside the process. */
int64_t mx_mono_ms(void);
int64_t mx_mono_us(void);

/* Tests only: both clocks stand still at these values until the next call; (-1, -1) gives the
 * real ones back. */
void mx_time_fake(int64_t now_ms, int64_t mono_ms);

/* Adds milliseconds (may be negative) to the wall clock that mx_now_ms() reports. */
void mx_time_shift(int64_t by_ms);
