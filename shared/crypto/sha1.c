#include "shared/crypto/sha1.h"

#include <gnutls/crypto.h>
#include <stdlib.h>

void mx_sha1(struct mx_slice bytes, uint8_t ret_digest[MX_SHA1_LEN])
{
	/* Fails only if GnuTLS was built without SHA-1. */
	if (gnutls_hash_fast(GNUTLS_DIG_SHA1, bytes.len ? bytes.ptr : "", bytes.len, ret_digest))
		abort();
}

void mx_hmac_sha1(struct mx_slice key, struct mx_slice bytes, uint8_t ret_digest[MX_SHA1_LEN])
{
	if (gnutls_hmac_fast(GNUTLS_MAC_SHA1, key.len ? key.ptr : "", key.len,
			     bytes.len ? bytes.ptr : "", bytes.len, ret_digest))
		abort();
}
