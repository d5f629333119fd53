/* SHA-1, by GnuTLS: only where an old protocol asks for it. */
#pragma once

#include "shared/core/slice.h"

#include <stdint.h>

#define MX_SHA1_LEN 20

/* RFC 2104, with SHA-1. */
void mx_hmac_sha1(struct mx_slice key, struct mx_slice bytes, uint8_t ret_digest[MX_SHA1_LEN]);

void mx_sha1(struct mx_slice bytes, uint8_t ret_digest[MX_SHA1_LEN]);
