/* SHA-256, by GnuTLS. */
#pragma once

#include "shared/core/slice.h"

#include <stdint.h>

#define MX_SHA256_LEN 32

void mx_sha256(struct mx_slice bytes, uint8_t ret_digest[MX_SHA256_LEN]);
