#include "shared/store/check.h"

#include "tests/support/store_fixture.h"

static const struct store_hash_key secret = { "0123456789abcde" };

static struct store_hash run_of(const struct store_row *rows, size_t len)
{
	struct store_hash run = { 0 };

	for (size_t i = 0; i < len; i++)
		store_check_add_row(&secret, &run, &rows[i]);
	return run;
}

static struct store_row row(const char *key, const char *value)
{
	return (struct store_row){ mx_slice(key), mx_slice(value) };
}

static bool same_runs(const struct store_row *a, const struct store_row *b)
{
	struct store_hash of_a = run_of(a, 2), of_b = run_of(b, 2);

	return store_check_same(&of_a, &of_b);
}

static void equal_values_have_one_hash(void **state)
{
	struct store_hash a = store_check_value(&secret, mx_slice("cat"));
	struct store_hash b = store_check_value(&secret, mx_slice_of("catalogue", 3));

	(void)state;
	assert_true(store_check_same(&a, &b));
}

static void other_values_and_other_secrets_have_another_hash(void **state)
{
	static const struct store_hash_key other = { "0123456789abcdf" };
	struct store_hash a = store_check_value(&secret, mx_slice("cat"));
	struct store_hash b = store_check_value(&secret, mx_slice("cau"));
	struct store_hash c = store_check_value(&other, mx_slice("cat"));
	struct store_hash d = store_check_value(&secret, mx_slice(""));

	(void)state;
	assert_false(store_check_same(&a, &b));
	assert_false(store_check_same(&a, &c));
	assert_false(store_check_same(&a, &d));
}

static void the_hash_of_a_run_depends_on_every_row_and_their_order(void **state)
{
	const struct store_row rows[] = { row("a", "1"), row("b", "2") };
	const struct store_row same[] = { row("a", "1"), row("b", "2") };
	const struct store_row turned[] = { row("b", "2"), row("a", "1") };
	const struct store_row changed[] = { row("a", "1"), row("b", "3") };

	(void)state;
	assert_true(same_runs(rows, same));
	assert_false(same_runs(rows, turned));
	assert_false(same_runs(rows, changed));
}

/* "ab" → "c" is another row than "a" → "bc". */
static void key_and_value_do_not_run_into_each_other(void **state)
{
	const struct store_row one[] = { row("ab", "c"), row("d", "") };
	const struct store_row two[] = { row("a", "bc"), row("d", "") };
	const struct store_row three[] = { row("ab", "c"), row("", "d") };

	(void)state;
	assert_false(same_runs(one, two));
	assert_false(same_runs(one, three));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_values_have_one_hash),
		cmocka_unit_test(other_values_and_other_secrets_have_another_hash),
		cmocka_unit_test(the_hash_of_a_run_depends_on_every_row_and_their_order),
		cmocka_unit_test(key_and_value_do_not_run_into_each_other),
	};
	return cmocka_run_group_tests_name("store/check", tests, NULL, NULL);
}
