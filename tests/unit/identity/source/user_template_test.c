#include "identity/source/user_template.h"

#include "tests/support/arena_fixture.h"

#define NAMES "@{uid}:example.org"

static void a_template_makes_a_user_id_or_is_none(void **state)
{
	(void)state;
	assert_true(user_template_is_valid(NAMES));
	assert_true(user_template_is_valid("@staff-{uid}:example.org:8448"));
	assert_true(user_template_is_valid("{matrixId}"));
	assert_false(user_template_is_valid("@uid:example.org"));
	assert_false(user_template_is_valid("{uid}:example.org"));
	assert_false(user_template_is_valid("@{uid}"));
	assert_false(user_template_is_valid("@{}:example.org"));
	assert_false(user_template_is_valid("@{a}{b}:example.org"));
	assert_false(user_template_is_valid("@}uid{:example.org"));
	assert_false(user_template_is_valid("@A{uid}:example.org"));
	assert_false(user_template_is_valid("@{uid}:exa mple.org"));
}

static void the_attribute_stands_in_braces(void **state)
{
	(void)state;
	assert_true(mx_slice_is(user_template_attribute(NAMES), "uid"));
	assert_true(mx_slice_is(user_template_attribute("{matrixId}"), "matrixId"));
}

static void names_become_small(void **state)
{
	assert_string_equal(user_template_fill(NAMES, MX_SLICE("Ann.B"), *state),
			    "@ann.b:example.org");
}

static void a_value_that_makes_no_user_is_nobodys(void **state)
{
	static const char *const values[] = { "",         "a b", "ann:evil.org", "ann:80",
					      "\xc3\xa4", "a\n", "a@b",          "a{b}" };
	char longest[300];

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		assert_null(user_template_fill(NAMES, mx_slice(values[i]), *state));
	assert_null(user_template_fill(NAMES, mx_slice_of("a\0b", 3), *state));
	memset(longest, 'a', sizeof(longest));
	assert_null(user_template_fill(NAMES, mx_slice_of(longest, sizeof(longest)), *state));
	assert_null(user_template_fill(NAMES, mx_slice_of(longest, 250), *state));
}

static void a_whole_id_is_taken_as_it_is(void **state)
{
	assert_string_equal(user_template_fill("{id}", MX_SLICE("@Ann:other.org"), *state),
			    "@Ann:other.org");
	assert_null(user_template_fill("{id}", MX_SLICE("ann"), *state));
	assert_null(user_template_fill("{id}", MX_SLICE("ann:other.org"), *state));
	assert_null(user_template_fill("{id}", MX_SLICE("@ann:"), *state));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		arena_test(a_template_makes_a_user_id_or_is_none),
		arena_test(the_attribute_stands_in_braces),
		arena_test(names_become_small),
		arena_test(a_value_that_makes_no_user_is_nobodys),
		arena_test(a_whole_id_is_taken_as_it_is),
	};

	return cmocka_run_group_tests_name("user_template", tests, NULL, NULL);
}
