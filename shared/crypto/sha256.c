#include "shared/crypto/sha256.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <stdlib.h>
#include <unistd.h>

void mx_sha256(struct mx_slice bytes, uint8_t ret_digest[MX_SHA256_LEN])
{
	/* Fails only if GnuTLS was built without SHA-256. */
	if (gnutls_hash_fast(GNUTLS_DIG_SHA256, bytes.len ? bytes.ptr : "", bytes.len, ret_digest))
		abort();
}

#define PIECE ((size_t)64 * 1024)

/* 1: there is more, 0: that was all, -1: it cannot be read. */
static int hash_piece(gnutls_hash_hd_t hash, int fd, off_t *at)
{
	char bytes[PIECE];
	ssize_t got = pread(fd, bytes, sizeof(bytes), *at);

	if (got < 0)
		return errno == EINTR ? 1 : -1;
	if (got > 0 && gnutls_hash(hash, bytes, (size_t)got))
		abort();
	*at += got;
	return got > 0;
}

bool mx_sha256_file(int fd, uint8_t ret_digest[MX_SHA256_LEN])
{
	gnutls_hash_hd_t hash;
	off_t at = 0;
	int more = 1;

	if (gnutls_hash_init(&hash, GNUTLS_DIG_SHA256))
		abort();
	while (more > 0)
		more = hash_piece(hash, fd, &at);
	gnutls_hash_deinit(hash, ret_digest);
	return more == 0;
}
