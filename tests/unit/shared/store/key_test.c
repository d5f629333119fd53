#include "shared/store/key.h"

#include "shared/store/store.h"
#include "tests/support/store_fixture.h"

#define ROUNDS 20000

static uint32_t random_state = 12345;

static uint32_t random_below(uint32_t bound)
{
	random_state = random_state * 1664525u + 1013904223u;
	return (random_state >> 8) % bound;
}

/* Few different bytes, so that prefixes and escapes meet often. */
static size_t random_text(char *bytes, size_t max)
{
	static const char alphabet[] = { 0x00, 0x01, 'a', 'b', (char)0xFF, (char)0xFE };
	size_t len = random_below((uint32_t)max + 1);

	for (size_t i = 0; i < len; i++)
		bytes[i] = alphabet[random_below(sizeof(alphabet))];
	return len;
}

static uint64_t random_number(void)
{
	static const uint64_t edges[] = { 0,
					  1,
					  0x7F,
					  0x80,
					  0xFF,
					  0x100,
					  0xFFFF,
					  UINT64_MAX,
					  (uint64_t)INT64_MAX,
					  (uint64_t)INT64_MAX + 1 };

	if (random_below(3) == 0)
		return edges[random_below(sizeof(edges) / sizeof(edges[0]))];
	return ((uint64_t)random_below(1u << 24) << 24 | random_below(1u << 24)) >>
	       random_below(48);
}

struct tuple {
	char first[8], second[8];
	size_t first_len, second_len;
	uint64_t number;
	int64_t offset;
};

static struct tuple random_tuple(void)
{
	struct tuple tuple = { .number = random_number(), .offset = (int64_t)random_number() };

	tuple.first_len = random_text(tuple.first, 4);
	tuple.second_len = random_text(tuple.second, 4);
	if (random_below(2))
		tuple.offset = (int64_t)(0 - (uint64_t)tuple.offset);
	return tuple;
}

static struct store_key key_of(const struct tuple *tuple)
{
	struct store_key key = { 0 };

	store_key_text(&key, mx_slice_of(tuple->first, tuple->first_len));
	store_key_u64(&key, tuple->number);
	store_key_i64(&key, tuple->offset);
	store_key_text(&key, mx_slice_of(tuple->second, tuple->second_len));
	return key;
}

static int sign(int value)
{
	return (value > 0) - (value < 0);
}

static int compare_tuples(const struct tuple *a, const struct tuple *b)
{
	int order = mx_slice_cmp(mx_slice_of(a->first, a->first_len),
				 mx_slice_of(b->first, b->first_len));

	if (order)
		return sign(order);
	if (a->number != b->number)
		return a->number < b->number ? -1 : 1;
	if (a->offset != b->offset)
		return a->offset < b->offset ? -1 : 1;
	return sign(mx_slice_cmp(mx_slice_of(a->second, a->second_len),
				 mx_slice_of(b->second, b->second_len)));
}

static void keys_sort_as_their_parts(void **state)
{
	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		struct tuple a = random_tuple(), b = random_tuple();
		struct store_key key_a, key_b;

		if (random_below(2))
			memcpy(b.first, a.first, b.first_len = a.first_len);
		if (random_below(2))
			b.number = a.number;
		if (random_below(4) == 0)
			b.offset = a.offset;
		key_a = key_of(&a);
		key_b = key_of(&b);
		assert_int_equal(
			sign(mx_slice_cmp(store_key_slice(&key_a), store_key_slice(&key_b))),
			compare_tuples(&a, &b));
	}
}

static void parts_are_read_back(void **state)
{
	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		struct tuple tuple = random_tuple();
		struct store_key key = key_of(&tuple);
		struct mx_slice rest = store_key_slice(&key);
		mx_str_auto first = { 0 }, second = { 0 };
		uint64_t number;
		int64_t offset;

		assert_true(store_key_read_text(&rest, &first));
		assert_true(store_key_read_u64(&rest, &number));
		assert_true(store_key_read_i64(&rest, &offset));
		assert_true(store_key_read_text(&rest, &second));
		assert_int_equal(rest.len, 0);
		assert_true(mx_slice_eq(mx_str_slice(&first),
					mx_slice_of(tuple.first, tuple.first_len)));
		assert_true(mx_slice_eq(mx_str_slice(&second),
					mx_slice_of(tuple.second, tuple.second_len)));
		assert_true(number == tuple.number && offset == tuple.offset);
	}
}

static bool is_in_range(const struct store_key *from, const struct store_key *to,
			const struct store_key *key)
{
	struct mx_slice end = store_key_slice(to);

	return mx_slice_cmp(store_key_slice(from), store_key_slice(key)) <= 0 &&
	       (end.len == 0 || mx_slice_cmp(store_key_slice(key), end) < 0);
}

static void a_range_holds_exactly_the_keys_with_its_parts(void **state)
{
	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		struct tuple a = random_tuple(), b = random_tuple();
		struct store_key prefix = { 0 }, end, key;
		bool same;

		if (random_below(2))
			memcpy(b.first, a.first, b.first_len = a.first_len);
		store_key_text(&prefix, mx_slice_of(a.first, a.first_len));
		store_key_range_end(&prefix, &end);
		key = key_of(&b);
		same = mx_slice_eq(mx_slice_of(a.first, a.first_len),
				   mx_slice_of(b.first, b.first_len));
		assert_int_equal(is_in_range(&prefix, &end, &key), same);
	}
}

static void the_range_of_the_greatest_number_has_no_end(void **state)
{
	struct store_key prefix = { 0 }, end;

	(void)state;
	store_key_i64(&prefix, INT64_MAX);
	store_key_range_end(&prefix, &end);
	assert_int_equal(store_key_slice(&end).len, 0);
}

static void a_key_that_is_too_long_is_marked(void **state)
{
	struct store_key key = { 0 };
	char text[STORE_KEY_MAX] = { 'x' };

	(void)state;
	store_key_text(&key, mx_slice_of(text, 100));
	assert_false(key.overflow);
	store_key_text(&key, mx_slice_of(text, sizeof(text)));
	assert_true(key.overflow);
	assert_true(store_key_slice(&key).len > STORE_KEY_MAX);
}

static void bytes_that_no_writer_made_are_refused(void **state)
{
	static const struct mx_slice texts[] = {
		{ "", 0 }, { "abc", 3 }, { "a\0", 2 }, { "a\0\2", 3 }, { "a\0\xFE", 3 },
	};
	static const struct mx_slice numbers[] = {
		{ "", 0 },     { "\1", 1 }, { "\1\0", 2 }, { "\2\0\1", 3 }, { "\11xxxxxxxxx", 10 },
		{ "\xFF", 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct mx_slice rest = texts[i];
		mx_str_auto out = { 0 };

		assert_false(store_key_read_text(&rest, &out));
	}
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct mx_slice rest = numbers[i];
		uint64_t value;

		assert_false(store_key_read_u64(&rest, &value));
	}
	assert_false(store_key_read_i64(&(struct mx_slice){ "1234567", 7 }, &(int64_t){ 0 }));
	assert_false(store_key_read_stamp(&(struct mx_slice){ "1234567", 7 }, &(uint64_t){ 0 }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_sort_as_their_parts),
		cmocka_unit_test(parts_are_read_back),
		cmocka_unit_test(a_range_holds_exactly_the_keys_with_its_parts),
		cmocka_unit_test(the_range_of_the_greatest_number_has_no_end),
		cmocka_unit_test(a_key_that_is_too_long_is_marked),
		cmocka_unit_test(bytes_that_no_writer_made_are_refused),
	};
	return cmocka_run_group_tests_name("store/key", tests, NULL, NULL);
}
