#include "identity/suppress/suppression.h"

#include "identity/identity.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "tests/support/store_fixture.h"

static const struct store_table *const store_test_tables[] = { &suppression_table, NULL };

static struct identity_call call_of_test(void **txn)
{
	return (struct identity_call){ .txn = *txn, .mem = test_mem, .now_ms = 1000 };
}

static const char *spelt(const char *medium, const char *what)
{
	struct suppression suppression;
	struct mx_error err = { 0 };

	if (suppression_parse(medium, what, test_mem, &suppression, &err))
		return mx_errc(err.code)->name;
	return suppression.what;
}

static void suppress(void **txn, const char *medium, const char *what)
{
	const struct identity_call call = call_of_test(txn);
	struct suppression suppression;

	assert_int_equal(suppression_parse(medium, what, test_mem, &suppression, NULL), 0);
	suppression.reason = "asked for it";
	suppression_add(&call, &suppression);
}

/* What covers it; "" if nothing does. */
static const char *covers(void **txn, const char *medium, const char *address)
{
	const struct identity_call call = call_of_test(txn);
	const struct threepid threepid = { medium, address };
	struct suppression suppression;
	int rc = suppression_find(&call, &threepid, &suppression);

	if (rc == -MX_NOT_FOUND)
		return "";
	assert_int_equal(rc, 0);
	assert_string_equal(suppression.reason, "asked for it");
	assert_int_equal(suppression.since_ms, 1000);
	return suppression.what;
}

static void spellings_have_one_form(void **txn)
{
	(void)txn;
	assert_string_equal(spelt("email", "Ann@Example.org"), "ann@example.org");
	assert_string_equal(spelt("email", "@Example.ORG"), "@example.org");
	assert_string_equal(spelt("email", "@München.example"), "@xn--mnchen-3ya.example");
	assert_string_equal(spelt("msisdn", "+44 7700 900001"), "447700900001");
	assert_string_equal(spelt("msisdn", "+4477*"), "4477*");
}

static void what_is_neither_is_refused(void **txn)
{
	(void)txn;
	assert_string_equal(spelt("email", "example.org"), "INVALID_EMAIL");
	assert_string_equal(spelt("email", "@"), "INVALID_EMAIL");
	assert_string_equal(spelt("email", "@a@b.example"), "INVALID_EMAIL");
	assert_string_equal(spelt("msisdn", "*"), "INVALID_ADDRESS");
	assert_string_equal(spelt("msisdn", "44x*"), "INVALID_ADDRESS");
	assert_string_equal(spelt("msisdn", "1234567890123456*"), "INVALID_ADDRESS");
	assert_string_equal(spelt("pigeon", "ann"), "INVALID_PARAM");
}

static void an_address_is_covered_alone(void **txn)
{
	suppress(txn, "email", "ann@example.org");
	assert_string_equal(covers(txn, "email", "ann@example.org"), "ann@example.org");
	assert_string_equal(covers(txn, "email", "joann@example.org"), "");
	assert_string_equal(covers(txn, "email", "bob@example.org"), "");
}

static void a_domain_is_covered_with_all_below_it(void **txn)
{
	suppress(txn, "email", "@example.org");
	assert_string_equal(covers(txn, "email", "ann@example.org"), "@example.org");
	assert_string_equal(covers(txn, "email", "ann@mail.example.org"), "@example.org");
	assert_string_equal(covers(txn, "email", "ann@badexample.org"), "");
	assert_string_equal(covers(txn, "email", "ann@example.org.example"), "");
	suppress(txn, "email", "@mail.example.org");
	assert_string_equal(covers(txn, "email", "ann@mail.example.org"), "@mail.example.org");
}

static void a_domain_of_other_letters_is_covered(void **txn)
{
	suppress(txn, "email", "@München.example");
	assert_string_equal(covers(txn, "email", "ann@münchen.example"), "@xn--mnchen-3ya.example");
}

static void numbers_are_covered_by_their_beginning(void **txn)
{
	suppress(txn, "msisdn", "4477*");
	suppress(txn, "msisdn", "447700900001");
	assert_string_equal(covers(txn, "msisdn", "447700900001"), "447700900001");
	assert_string_equal(covers(txn, "msisdn", "447700900002"), "4477*");
	assert_string_equal(covers(txn, "msisdn", "447800900002"), "");
	suppress(txn, "msisdn", "447700900002*");
	assert_string_equal(covers(txn, "msisdn", "447700900002"), "447700900002*");
}

static void what_was_removed_is_written_to_again(void **txn)
{
	const struct identity_call call = call_of_test(txn);
	struct suppression suppression;

	suppress(txn, "email", "@example.org");
	assert_int_equal(suppression_parse("email", "@EXAMPLE.org", test_mem, &suppression, NULL),
			 0);
	assert_int_equal(suppression_remove(&call, &suppression, NULL), 0);
	assert_string_equal(covers(txn, "email", "ann@example.org"), "");
	assert_int_equal(suppression_remove(&call, &suppression, NULL), -MX_NOT_FOUND);
}

static void all_are_listed_page_by_page(void **txn)
{
	const struct identity_call call = call_of_test(txn);
	struct page page = { .limit = 2 };
	struct suppression_list list;

	suppress(txn, "email", "@a.example");
	suppress(txn, "email", "b@b.example");
	suppress(txn, "msisdn", "44*");
	assert_int_equal(suppression_list(&call, &page, &list), 0);
	assert_int_equal(list.len, 2);
	assert_string_equal(list.items[1].what, "b@b.example");
	page.after = list.next;
	assert_int_equal(suppression_list(&call, &page, &list), 0);
	assert_int_equal(list.len, 1);
	assert_string_equal(list.items[0].medium, "msisdn");
	assert_int_equal(list.next.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		store_test(spellings_have_one_form),
		store_test(what_is_neither_is_refused),
		store_test(an_address_is_covered_alone),
		store_test(a_domain_is_covered_with_all_below_it),
		store_test(a_domain_of_other_letters_is_covered),
		store_test(numbers_are_covered_by_their_beginning),
		store_test(what_was_removed_is_written_to_again),
		store_test(all_are_listed_page_by_page),
	};

	return cmocka_run_group_tests_name("suppress/suppression", tests, NULL, NULL);
}
