#include "shared/store/key.h"

#include "shared/core/arena.h"
#include "shared/store/store.h"

_Static_assert(sizeof(((struct store_key *)0)->bytes) == STORE_KEY_MAX, "a key fits exactly");

/* Text: 00 becomes 00 FF, and 00 01 ends it. As 00 01 is less than 00 FF and than every other
 * continuation, a text sorts before all texts that it begins. */
#define ESCAPE       0x00
#define ESCAPED_ZERO 0xFF
#define TEXT_END     0x01

#define SIGN_BIT (UINT64_C(1) << 63)

static void key_add(struct store_key *key, uint8_t byte)
{
	if (key->len >= sizeof(key->bytes)) {
		key->overflow = true;
		return;
	}
	key->bytes[key->len++] = (char)byte;
}

static void key_add_big_endian(struct store_key *key, uint64_t value, unsigned bytes)
{
	while (bytes-- > 0)
		key_add(key, (uint8_t)(value >> (8 * bytes)));
}

void store_key_text(struct store_key *key, struct mx_slice text)
{
	for (size_t i = 0; i < text.len && !key->overflow; i++) {
		uint8_t byte = (uint8_t)text.ptr[i];

		key_add(key, byte);
		if (byte == ESCAPE)
			key_add(key, ESCAPED_ZERO);
	}
	key_add(key, ESCAPE);
	key_add(key, TEXT_END);
}

static unsigned significant_bytes(uint64_t value)
{
	unsigned bytes = 0;

	for (; value; value >>= 8)
		bytes++;
	return bytes;
}

/* How many bytes, then those bytes: more bytes are a larger number, so the order holds, and
 * small numbers take two bytes instead of eight. */
void store_key_u64(struct store_key *key, uint64_t value)
{
	unsigned bytes = significant_bytes(value);

	key_add(key, (uint8_t)bytes);
	key_add_big_endian(key, value, bytes);
}

/* The flipped sign puts the negative numbers first. */
void store_key_i64(struct store_key *key, int64_t value)
{
	key_add_big_endian(key, (uint64_t)value ^ SIGN_BIT, 8);
}

void store_key_known_stamp(struct store_key *key, uint64_t stamp)
{
	key_add_big_endian(key, stamp, 8);
}

size_t store_key_stamp(struct store_key *key)
{
	size_t at = key->len;

	store_key_known_stamp(key, 0);
	return at;
}

struct mx_slice store_key_slice(const struct store_key *key)
{
	/* One byte too long is how the store learns of the overflow; it looks at the length before
	 * it touches the bytes. */
	return mx_slice_of(key->bytes, key->overflow ? STORE_KEY_MAX + 1 : key->len);
}

void store_key_range_end(const struct store_key *prefix, struct store_key *ret_end)
{
	size_t len = prefix->len;

	*ret_end = *prefix;
	while (len > 0 && (uint8_t)ret_end->bytes[len - 1] == 0xFF)
		len--;
	ret_end->len = len; /* nothing left: no key is beyond the range, so it has no end */
	if (len > 0)
		ret_end->bytes[len - 1] = (char)((uint8_t)ret_end->bytes[len - 1] + 1);
}

static bool take_byte(struct mx_slice *rest, uint8_t *ret_byte)
{
	if (rest->len == 0)
		return false;
	*ret_byte = (uint8_t)rest->ptr[0];
	rest->ptr++;
	rest->len--;
	return true;
}

static bool take_big_endian(struct mx_slice *rest, unsigned bytes, uint64_t *ret_value)
{
	uint64_t value = 0;
	uint8_t byte;

	while (bytes-- > 0) {
		if (!take_byte(rest, &byte))
			return false;
		value = value << 8 | byte;
	}
	*ret_value = value;
	return true;
}

bool store_key_read_text(struct mx_slice *rest, struct mx_str *out)
{
	uint8_t byte;

	while (take_byte(rest, &byte)) {
		if (byte == ESCAPE) {
			if (!take_byte(rest, &byte))
				return false;
			if (byte == TEXT_END)
				return true;
			if (byte != ESCAPED_ZERO)
				return false;
			byte = 0;
		}
		mx_str_add_char(out, (char)byte);
	}
	return false;
}

bool store_key_load_text(struct mx_slice *rest, struct mx_arena *mem, struct mx_slice *ret_text)
{
	mx_str_auto text = { 0 };

	if (!store_key_read_text(rest, &text))
		return false;
	*ret_text = mx_arena_slice(mem, mx_str_slice(&text));
	return true;
}

bool store_key_read_u64(struct mx_slice *rest, uint64_t *ret_value)
{
	uint64_t value;
	uint8_t bytes;

	if (!take_byte(rest, &bytes) || bytes > 8 || !take_big_endian(rest, bytes, &value))
		return false;
	if (significant_bytes(value) != bytes)
		return false;
	*ret_value = value;
	return true;
}

bool store_key_read_i64(struct mx_slice *rest, int64_t *ret_value)
{
	uint64_t value;

	if (!take_big_endian(rest, 8, &value))
		return false;
	*ret_value = (int64_t)(value ^ SIGN_BIT);
	return true;
}

bool store_key_read_stamp(struct mx_slice *rest, uint64_t *ret_stamp)
{
	return take_big_endian(rest, 8, ret_stamp);
}
