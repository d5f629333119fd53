#include "shared/http/header_gate.h"

#include "shared/core/error.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Names and values in turn, NULL at the end. */
static struct head head_of(const char *const *list)
{
	struct head head = { 0 };

	for (; *list; list += 2)
		head_add(&head, mx_slice(list[0]), mx_slice(list[1]));
	return head;
}

#define HEAD(...) head_of((const char *const[]){ __VA_ARGS__, NULL })

static int check(struct head head)
{
	struct mx_error err = { 0 };
	int rc = head_check(&head, true, &err);

	assert_true(rc == 0 || err.text[0]);
	return rc;
}

static void what_must_be_single_may_not_repeat(void **state)
{
	static const char *const single[] = {
		"Host",         "Authorization",    "CONTENT-length",
		"content-TYPE", "Content-Encoding", "Transfer-Encoding"
	};

	(void)state;
	for (size_t i = 0; i < sizeof(single) / sizeof(single[0]); i++) {
		const char *value = strcmp(single[i], "Transfer-Encoding") == 0 ? "chunked" : "1";

		if (i > 0)
			assert_int_equal(check(HEAD("host", "h", single[i], value)), 0);
		assert_int_equal(check(HEAD("host", "h", single[i], value, single[i], value)),
				 -MX_BAD_HTTP);
	}
	assert_int_equal(check(HEAD("Host", "h", "Accept", "a", "Accept", "b")), 0);
}

static void names_are_tokens(void **state)
{
	static const char *const bad[] = { "",    "a b",      "a ",   " a", "a:",
					   "a\t", "\xC3\xA4", "a(b)", "a/" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(check(HEAD("Host", "h", bad[i], "x")), -MX_BAD_HTTP);
	assert_int_equal(check(HEAD("Host", "h", "!#$%&'*+-.^_`|~09azAZ", "x")), 0);
}

static void values_have_no_controls_but_tabs(void **state)
{
	static const char *const bad[] = { "a\rb", "a\nb", "\x01", "\x7F", "a\x1F" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(check(HEAD("Host", "h", "X", bad[i])), -MX_BAD_HTTP);
	assert_int_equal(check(HEAD("Host", "h", "X", "a\tb \xC3\xA4", "Y", "")), 0);
}

static void a_length_is_digits_and_nothing_else(void **state)
{
	static const char *const bad[] = { "",    "+1",  "-1",
					   "0x1", "1 ",  " 1",
					   "1,1", "1.0", "1234567890123456789" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(check(HEAD("Host", "h", "Content-Length", bad[i])), -MX_BAD_HTTP);
	assert_int_equal(check(HEAD("Host", "h", "Content-Length", "123456789012345678")), 0);
}

static void a_body_has_one_length(void **state)
{
	struct head none = HEAD("Host", "h");
	struct head some = HEAD("Host", "h", "Content-Length", "0042");
	struct head chunks = HEAD("Host", "h", "Transfer-Encoding", "Chunked");

	(void)state;
	assert_int_equal(head_body_len(&none), 0);
	assert_int_equal(head_body_len(&some), 42);
	assert_int_equal(check(chunks), 0);
	assert_true(head_body_len(&chunks) == UINT64_MAX);
	assert_int_equal(
		check(HEAD("Host", "h", "Transfer-Encoding", "chunked", "Content-Length", "1")),
		-MX_BAD_HTTP);
}

static void chunked_is_the_only_coding(void **state)
{
	static const char *const bad[] = { "",         "identity",      "xchunked",
					   "chunked ", "gzip, chunked", "chunked, chunked",
					   "chunke" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(check(HEAD("Host", "h", "Transfer-Encoding", bad[i])),
				 -MX_BAD_HTTP);
}

static void old_clients_need_no_host_and_have_no_chunks(void **state)
{
	struct head none = { 0 }, chunks = HEAD("Transfer-Encoding", "chunked");

	(void)state;
	assert_int_equal(check(none), -MX_BAD_HTTP);
	assert_int_equal(head_check(&none, false, NULL), 0);
	assert_int_equal(head_check(&chunks, false, NULL), -MX_BAD_HTTP);
}

static void a_host_is_a_host_only(void **state)
{
	static const char *const bad[] = { "a/b", "a b", "a@b",  "a?b",
					   "a#b", "a,b", "a\\b", "\xC3\xA4" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(check(HEAD("Host", bad[i])), -MX_BAD_HTTP);
	assert_int_equal(check(HEAD("Host", "[::1]:8448")), 0);
	assert_int_equal(check(HEAD("Host", "")), 0);
}

static void forms_are_known_in_any_case(void **state)
{
	struct head form = HEAD("Content-Type", " Multipart/Form-Data ; boundary=x");
	struct head json = HEAD("Content-Type", "application/json; multipart/form-data");
	struct head none = { 0 };

	(void)state;
	assert_true(head_is_form(&form));
	assert_false(head_is_form(&json));
	assert_false(head_is_form(&none));
}

static void identity_is_no_encoding(void **state)
{
	struct head gzip = HEAD("Content-Encoding", "gzip");
	struct head identity = HEAD("Content-Encoding", " Identity ");
	struct head both = HEAD("Content-Encoding", "identity, gzip");
	struct head none = { 0 };

	(void)state;
	assert_true(head_is_encoded(&gzip));
	assert_true(head_is_encoded(&both));
	assert_false(head_is_encoded(&identity));
	assert_false(head_is_encoded(&none));
}

static void the_last_proxy_counts(void **state)
{
	struct head head = HEAD("X-Forwarded-For", "a", "x-forwarded-for", "b", "Expect",
				"100-continue");

	(void)state;
	assert_true(mx_slice_is(head.forwarded_for, "b"));
	assert_true(head.expects);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_must_be_single_may_not_repeat),
		cmocka_unit_test(names_are_tokens),
		cmocka_unit_test(values_have_no_controls_but_tabs),
		cmocka_unit_test(a_length_is_digits_and_nothing_else),
		cmocka_unit_test(a_body_has_one_length),
		cmocka_unit_test(chunked_is_the_only_coding),
		cmocka_unit_test(old_clients_need_no_host_and_have_no_chunks),
		cmocka_unit_test(a_host_is_a_host_only),
		cmocka_unit_test(forms_are_known_in_any_case),
		cmocka_unit_test(identity_is_no_encoding),
		cmocka_unit_test(the_last_proxy_counts),
	};
	return cmocka_run_group_tests_name("http/header_gate", tests, NULL, NULL);
}
