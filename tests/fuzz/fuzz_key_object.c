/* Key objects: what is accepted is accepted again in the form that is kept, with the same keys,
 * and never with fewer signatures asked for. */
#include "tests/fuzz/fuzz.h"

#include "shared/core/arena.h"
#include "shared/crypto/ed25519.h"
#include "shared/keys/key_object.h"

static const struct mx_slice server = { "origin.example.org", 18 };

static enum key_refusal check(struct mx_slice text, enum key_policy policy, struct mx_arena *mem,
			      struct key_object *object)
{
	enum key_refusal refusal = key_object_check(text, server, policy, mem, object, NULL);

	FUZZ_ASSERT(refusal < KEY_REFUSALS);
	if (refusal != KEY_FINE)
		return refusal;
	FUZZ_ASSERT(mx_slice_eq(object->server, server));
	FUZZ_ASSERT(object->valid_until_ts >= 0);
	FUZZ_ASSERT(object->keys_len > 0 && object->keys_len <= KEY_OBJECT_KEYS);
	FUZZ_ASSERT(object->bytes.len <= KEY_OBJECT_MAX);
	return refusal;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct key_object object, again;
	enum key_refusal any, all;

	mx_crypto_init();
	any = check(mx_slice_of(data, size), KEY_POLICY_ANY, mem, &object);
	all = check(mx_slice_of(data, size), KEY_POLICY_ALL, mem, &again);
	FUZZ_ASSERT(all != KEY_FINE || any == KEY_FINE);
	FUZZ_ASSERT(all == any || (all == KEY_UNSIGNED && any == KEY_FINE));
	if (any != KEY_FINE)
		return 0;
	FUZZ_ASSERT(check(object.bytes, KEY_POLICY_ANY, mem, &again) == KEY_FINE);
	FUZZ_ASSERT(mx_slice_eq(object.bytes, again.bytes));
	FUZZ_ASSERT(mx_slice_eq(object.signed_bytes, again.signed_bytes));
	FUZZ_ASSERT(object.keys_len == again.keys_len);
	return 0;
}
