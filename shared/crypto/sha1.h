/* SHA-1, by GnuTLS: only where an old protocol wants it. */
#pragma once

#include "shared/core/slice.h"

#include <stdint.h>

#define MX_SHA1_LEN 20

void mx_sha1(struct mx_slice bytes, uint8_t ret_digest[MX_SHA1_LEN]);
/* RFC 2104. */
void mx_hmac_sha1(struct mx_slice key, struct mx_slice bytes, uint8_t ret_digest[MX_SHA1_LEN]);
