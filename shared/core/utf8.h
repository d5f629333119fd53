/* UTF-8: strict validity (no surrogates, no overlong forms, at most U+10FFFF) and lengths. */
#pragma once

#include "shared/core/slice.h"

#include <stdbool.h>
#include <stdint.h>

/* Length of the valid sequence at the start of text, 1–4; 0 if there is none. */
size_t mx_utf8_step(struct mx_slice text);
bool mx_utf8_valid(struct mx_slice text);

/* Code points of valid text. */
size_t mx_utf8_count(struct mx_slice text);

/* Writes 1–4 bytes; returns how many. code_point must be a scalar value. */
size_t mx_utf8_encode(uint32_t code_point, char ret_bytes[4]);
