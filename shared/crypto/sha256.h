/* SHA-256, by GnuTLS. */
#pragma once

#include "shared/core/slice.h"

#include <stdbool.h>
#include <stdint.h>

#define MX_SHA256_LEN 32

/* Of a whole file, wherever its position is. False if it cannot be read. */
bool mx_sha256_file(int fd, uint8_t ret_digest[MX_SHA256_LEN]);

void mx_sha256(struct mx_slice bytes, uint8_t ret_digest[MX_SHA256_LEN]);
