#include "shared/threepid/threepid.h"

#include "shared/core/error.h"
#include "shared/core/str.h"
#include "tests/support/arena_fixture.h"

static const char *canonical(void **mem, const char *medium, const char *address)
{
	struct threepid threepid;
	struct mx_error err = { 0 };

	if (threepid_parse(medium, address, *mem, &threepid, &err))
		return mx_errc(err.code)->name;
	return threepid.address;
}

static void an_email_is_folded(void **mem)
{
	assert_string_equal(canonical(mem, "email", "Strauß@Example.com"), "strauss@example.com");
	assert_string_equal(canonical(mem, "email", "ALICE@x.org"), "alice@x.org");
}

static void what_is_no_email_is_refused(void **mem)
{
	static const char *const bad[] = { "a@b@c.org", "foo",
					   "<a@b.org>", "Bob <a@b.org>",
					   "",          "a@b.org\r\nBcc: x@y.org",
					   "a@b.org ",  "a@[127.0.0.1]" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_string_equal(canonical(mem, "email", bad[i]), "INVALID_EMAIL");
}

static void a_phone_number_becomes_digits(void **mem)
{
	assert_string_equal(canonical(mem, "msisdn", "447700900001"), "447700900001");
	assert_string_equal(canonical(mem, "msisdn", "+44 7700 900001"), "447700900001");
}

static void what_is_no_phone_number_is_refused(void **mem)
{
	static const char *const bad[] = { "",    "+",
					   "123", "44770090000a",
					   "++4", "123456789012345678901234567890123456789012345" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_string_equal(canonical(mem, "msisdn", bad[i]), "INVALID_ADDRESS");
}

static void other_media_are_refused(void **mem)
{
	assert_string_equal(canonical(mem, "Email", "a@b.org"), "INVALID_PARAM");
	assert_string_equal(canonical(mem, "", "a@b.org"), "INVALID_PARAM");
}

static void an_alias_tells_the_same_person_and_nothing_else(void **mem)
{
	const struct threepid ann = { "email", "ann@example.org" };
	const struct threepid again = { "email", "ann@example.org" };
	const struct threepid bob = { "email", "bob@example.org" };
	char first[13], second[13], other[13];

	(void)mem;
	threepid_alias(&ann, first);
	threepid_alias(&again, second);
	threepid_alias(&bob, other);
	assert_int_equal(strlen(first), 12);
	assert_string_equal(first, second);
	assert_string_not_equal(first, other);
	assert_true(threepid_same(&ann, &again));
	assert_false(threepid_same(&ann, &bob));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		arena_test(an_email_is_folded),
		arena_test(what_is_no_email_is_refused),
		arena_test(a_phone_number_becomes_digits),
		arena_test(what_is_no_phone_number_is_refused),
		arena_test(other_media_are_refused),
		arena_test(an_alias_tells_the_same_person_and_nothing_else),
	};
	return cmocka_run_group_tests_name("threepid/threepid", tests, NULL, NULL);
}
