/* Key files: whatever is accepted is written as text that gives the same keys. */
#include "tests/fuzz/fuzz.h"

#include "shared/core/str.h"
#include "shared/crypto/keyfile.h"
#include "shared/crypto/keyfile_text.h"

#include <sodium.h>

static void same_keys(const struct mx_keyring *one, const struct mx_keyring *two)
{
	FUZZ_ASSERT(one->len == two->len && one->old_len == two->old_len);
	for (size_t i = 0; i < one->len; i++) {
		FUZZ_ASSERT(
			streq(mx_signing_key_id(one->keys[i]), mx_signing_key_id(two->keys[i])));
		FUZZ_ASSERT(memcmp(mx_signing_key_public(one->keys[i]),
				   mx_signing_key_public(two->keys[i]),
				   MX_ED25519_PUBLIC_LEN) == 0);
	}
	for (size_t i = 0; i < one->old_len; i++) {
		FUZZ_ASSERT(streq(one->old[i].id, two->old[i].id));
		FUZZ_ASSERT(one->old[i].expired_ts == two->old[i].expired_ts);
		FUZZ_ASSERT(memcmp(one->old[i].public_key, two->old[i].public_key,
				   MX_ED25519_PUBLIC_LEN) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mx_keyring ring = { 0 }, again = { 0 };
	size_t len = 0;
	char *text;

	mx_crypto_init();
	if (mx_keyfile_text_parse(mx_slice_of(data, size), &ring, NULL) != 0)
		return 0;
	text = mx_keyfile_text_format(&ring, &len, NULL);
	FUZZ_ASSERT(text);
	FUZZ_ASSERT(mx_keyfile_text_parse(mx_slice_of(text, len), &again, NULL) == 0);
	same_keys(&ring, &again);
	sodium_free(text);
	mx_keyring_done(&ring);
	mx_keyring_done(&again);
	return 0;
}
