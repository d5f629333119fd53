/* Base64 as Matrix uses it. Spec: appendices, "Unpadded Base64". */
#pragma once

#include "shared/core/slice.h"
#include "shared/core/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Appends the unpadded form, standard or URL-safe alphabet. */
void mx_base64_add(struct mx_str *str, const void *bytes, size_t len);
void mx_base64url_add(struct mx_str *str, const void *bytes, size_t len);

/*
 * Accepts both alphabets, mixed too, padded or not, and non-zero trailing bits; refuses any
 * other character and lengths of 4n+1. False if refused or if the result is longer than max.
 */
bool mx_base64_decode(struct mx_slice text, void *ret_bytes, size_t max, size_t *ret_len);

/* Exactly `len` bytes, or false. */
bool mx_base64_decode_exact(struct mx_slice text, void *ret_bytes, size_t len);
