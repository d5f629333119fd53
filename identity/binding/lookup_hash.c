#include "identity/binding/lookup_hash.h"

#include "shared/core/base64.h"
#include "shared/core/str.h"
#include "shared/crypto/sha256.h"

#include <stdio.h>

#define HASH_TEXT_LEN 43

void lookup_hash(const struct threepid *threepid, const char *pepper,
		 uint8_t ret_hash[LOOKUP_HASH_LEN])
{
	char text[THREEPID_ADDRESS_MAX + PEPPER_MAX + 32];
	int len = snprintf(text, sizeof(text), "%s %s %s", threepid->address, threepid->medium,
			   pepper);
	mx_str_auto longer = { 0 };

	if ((size_t)len < sizeof(text)) {
		mx_sha256(mx_slice_of(text, (size_t)len), ret_hash);
		return;
	}
	mx_str_addf(&longer, "%s %s %s", threepid->address, threepid->medium, pepper);
	mx_sha256(mx_str_slice(&longer), ret_hash);
}

bool lookup_hash_parse(struct mx_slice text, uint8_t ret_hash[LOOKUP_HASH_LEN])
{
	/* The last character stands for four bits: two of its six are zero. */
	static const char last[] = "AEIMQUYcgkosw048";

	if (text.len != HASH_TEXT_LEN || !memchr(last, text.ptr[HASH_TEXT_LEN - 1], 16))
		return false;
	if (memchr(text.ptr, '+', text.len) || memchr(text.ptr, '/', text.len))
		return false;
	return mx_base64_decode_exact(text, ret_hash, LOOKUP_HASH_LEN);
}
