/* Keys of one invite each. Spec: identity service API, "Ephemeral invitation signing". */
#pragma once

#include "shared/core/slice.h"

#include <stdbool.h>
#include <stdint.h>

struct mx_arena;

/* A fresh pair; the private half as URL-safe base64, in mem. */
void ephemeral_make(struct mx_arena *mem, uint8_t ret_public[32], const char **ret_private);

/* Base64 of either alphabet, padded or not; a blank is a '+' that was not encoded in a query. */
bool ephemeral_decode(const char *text, uint8_t ret_bytes[32]);
