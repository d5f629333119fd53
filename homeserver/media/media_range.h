/* The Range header of a request. RFC 9110, 14. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum range_want { RANGE_WHOLE, RANGE_PART, RANGE_WRONG };

/* What of `size` bytes is wanted. header NULL, other units than bytes and several ranges mean the
 * whole; RANGE_WRONG: nothing of it is there, or it is no range. */
enum range_want media_range_parse(const char *header, uint64_t size, uint64_t *ret_from,
				  uint64_t *ret_len);
