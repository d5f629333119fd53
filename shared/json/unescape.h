/* JSON string escapes. */
#pragma once

#include "shared/core/slice.h"

/* The value of four hex digits, or -1. */
int mx_json_hex4(const char digits[4]);

/* Decodes what stands between the quotes of a scanned string; returns how many bytes were
 * written, never more than raw.len. */
size_t mx_json_unescape(struct mx_slice raw, char *ret_bytes);
