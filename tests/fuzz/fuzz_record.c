/* Stored records and keys: whatever bytes a damaged row holds, readers stay within them, and what
 * they accept is what a writer makes. */
#include "shared/core/str.h"
#include "shared/store/key.h"
#include "shared/store/record.h"
#include "tests/fuzz/fuzz.h"

#include <stdbool.h>

/* The first byte of the input chooses which reader meets each field. */
static void read_record(struct mx_slice bytes, unsigned shape)
{
	struct record_reader reader = record_open(bytes);
	const char *end = bytes.ptr + bytes.len;

	for (unsigned field = 0; field < 64 && record_more(&reader); field++) {
		struct mx_slice before = reader.rest, text;

		switch ((shape >> (field % 4 * 2)) & 3) {
		case 0: record_u64(&reader); break;
		case 1: record_i64(&reader); break;
		default:
			text = record_bytes(&reader);
			FUZZ_ASSERT(text.len == 0 ||
				    (text.ptr >= before.ptr && text.ptr + text.len <= end));
		}
		FUZZ_ASSERT(reader.broken || reader.rest.len < before.len);
	}
	FUZZ_ASSERT(record_more(&reader) ? record_ok(&reader) : reader.rest.len == 0);
}

static void key_text_again(struct mx_slice bytes)
{
	struct mx_slice rest = bytes;
	mx_str_auto text = { 0 };
	struct store_key key = { 0 };

	if (!store_key_read_text(&rest, &text))
		return;
	store_key_text(&key, mx_str_slice(&text));
	FUZZ_ASSERT(key.overflow || mx_slice_eq(store_key_slice(&key),
						mx_slice_of(bytes.ptr, bytes.len - rest.len)));
}

static void key_numbers_again(struct mx_slice bytes)
{
	struct mx_slice rest = bytes;
	struct store_key key = { 0 };
	uint64_t number;
	int64_t offset;

	if (!store_key_read_u64(&rest, &number) || !store_key_read_i64(&rest, &offset))
		return;
	store_key_u64(&key, number);
	store_key_i64(&key, offset);
	FUZZ_ASSERT(
		mx_slice_eq(store_key_slice(&key), mx_slice_of(bytes.ptr, bytes.len - rest.len)));
}

/* Two texts sort as their keys do. */
static void keys_sort_as_texts(struct mx_slice bytes, size_t cut)
{
	struct mx_slice first = mx_slice_of(bytes.ptr, cut);
	struct mx_slice second = mx_slice_of(bytes.ptr + cut, bytes.len - cut);
	struct store_key first_key = { 0 }, second_key = { 0 };
	int order;

	store_key_text(&first_key, first);
	store_key_text(&second_key, second);
	if (first_key.overflow || second_key.overflow)
		return;
	order = mx_slice_cmp(store_key_slice(&first_key), store_key_slice(&second_key));
	FUZZ_ASSERT((order < 0) == (mx_slice_cmp(first, second) < 0));
	FUZZ_ASSERT((order == 0) == mx_slice_eq(first, second));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mx_slice bytes;

	if (size == 0)
		return 0;
	bytes = mx_slice_of(data + 1, size - 1);
	read_record(bytes, data[0]);
	key_text_again(bytes);
	key_numbers_again(bytes);
	keys_sort_as_texts(bytes, data[0] % (bytes.len + 1));
	return 0;
}
