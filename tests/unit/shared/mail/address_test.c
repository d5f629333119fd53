#include "shared/mail/address.h"

#include "shared/core/error.h"
#include "shared/core/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct good {
	const char *text, *folded, *envelope;
} good[] = {
	{ "alice@example.com", "alice@example.com", "alice@example.com" },
	{ "Bob@Example.COM", "bob@example.com", "Bob@example.com" },
	{ "Strau\xC3\x9F@Example.com", "strauss@example.com", "Strau\xC3\x9F@example.com" },
	{ "\xE2\x84\xAA"
	  "elvin@x.org",
	  "kelvin@x.org",
	  "\xE2\x84\xAA"
	  "elvin@x.org" },
	{ "\xEF\xAC\x81nn@x.org", "finn@x.org", "\xEF\xAC\x81nn@x.org" },
	{ "a+tag@b.co", "a+tag@b.co", "a+tag@b.co" },
	{ "x@b\xC3\xBC"
	  "cher.example",
	  "x@b\xC3\xBC"
	  "cher.example",
	  "x@xn--bcher-kva.example" },
	{ "x@xn--bcher-kva.example", "x@xn--bcher-kva.example", "x@xn--bcher-kva.example" },
	{ "o'neil!#$%&*/=?^_`{|}~-@x.org", "o'neil!#$%&*/=?^_`{|}~-@x.org",
	  "o'neil!#$%&*/=?^_`{|}~-@x.org" },
	{ "first.last@sub.sub2.example.museum", "first.last@sub.sub2.example.museum",
	  "first.last@sub.sub2.example.museum" },
};

static void addresses_get_their_canonical_form(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct mail_address address;
		struct mx_error err = { 0 };

		if (mail_address_parse(mx_slice(good[i].text), &address, &err))
			fail_msg("%s: %s", good[i].text, err.text);
		assert_string_equal(address.folded, good[i].folded);
		assert_string_equal(address.envelope, good[i].envelope);
		assert_true(mx_ends_with(address.envelope, address.domain));
		mail_address_done(&address);
	}
}

static const char *const bad[] = {
	"",
	"@",
	"foo",
	"@b.com",
	"a@",
	"a@b@c.com",
	"a b@c.com",
	" a@c.com",
	"a@c.com ",
	"a@c.com\n",
	"a@b.com\r\nBcc: x@y.com",
	"a@b.com,c@d.com",
	"<a@b.com>",
	"Bob <a@b.com>",
	"\"x\" <a@b.com>",
	"\"quoted\"@b.com",
	"a@[127.0.0.1]",
	"a@127.0.0.1",
	"a@localhost",
	"a@b..com",
	"a@.b.com",
	"a@b.com.",
	"a@-b.com",
	"a@b-.com",
	"a@b_c.com",
	"a@b.123",
	".a@b.com",
	"a.@b.com",
	"a..b@b.com",
	"a(comment)@b.com",
	"a@b.com\x7F",
	"a\xC2\xA0@b.com", /* no-break space */
	"a\xE2\x80\xAE@b.com", /* right-to-left override */
	"a\xE2\x80\x8B@b.com", /* zero-width space */
	"a\xFF@b.com",
	"a@b\xC3.com",
};

static void what_is_no_address_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct mail_address address;
		struct mx_error err = { 0 };

		if (mail_address_parse(mx_slice(bad[i]), &address, &err) != -MX_INVALID_EMAIL)
			fail_msg("taken: %s", bad[i]);
		assert_true(mx_starts_with(err.text, "The e-mail address is not valid: "));
	}
}

static void a_zero_byte_is_refused(void **state)
{
	struct mail_address address;

	(void)state;
	assert_int_equal(mail_address_parse(MX_SLICE("a\0b@c.com"), &address, NULL),
			 -MX_INVALID_EMAIL);
	assert_int_equal(mail_address_parse(MX_SLICE("a@c.com\0"), &address, NULL),
			 -MX_INVALID_EMAIL);
}

static void lengths_have_limits(void **state)
{
	struct mail_address address;
	mx_str_auto text = { 0 };

	(void)state;
	for (int i = 0; i < MAIL_LOCAL_MAX; i++)
		mx_str_add_char(&text, 'a');
	mx_str_add_text(&text, "@example.com");
	assert_int_equal(mail_address_parse(mx_str_slice(&text), &address, NULL), 0);
	mail_address_done(&address);
	mx_str_clear(&text);
	for (int i = 0; i <= MAIL_LOCAL_MAX; i++)
		mx_str_add_char(&text, 'a');
	mx_str_add_text(&text, "@example.com");
	assert_int_equal(mail_address_parse(mx_str_slice(&text), &address, NULL),
			 -MX_INVALID_EMAIL);
	mx_str_clear(&text);
	mx_str_add_text(&text, "a@");
	while (text.len < MAIL_ADDRESS_MAX)
		mx_str_add_text(&text, "long.");
	mx_str_add_text(&text, "com");
	assert_int_equal(mail_address_parse(mx_str_slice(&text), &address, NULL),
			 -MX_INVALID_EMAIL);
}

static void only_other_letters_need_the_smtp_extension(void **state)
{
	struct mail_address address;

	(void)state;
	assert_int_equal(mail_address_parse(mx_slice("a@b\xC3\xBC"
						     "cher.example"),
					    &address, NULL),
			 0);
	assert_false(address.needs_utf8);
	mail_address_done(&address);
	assert_int_equal(mail_address_parse(mx_slice("\xC3\xBC@example.com"), &address, NULL), 0);
	assert_true(address.needs_utf8);
	mail_address_done(&address);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_get_their_canonical_form),
		cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test(a_zero_byte_is_refused),
		cmocka_unit_test(lengths_have_limits),
		cmocka_unit_test(only_other_letters_need_the_smtp_extension),
	};

	return cmocka_run_group_tests_name("mail/address", tests, NULL, NULL);
}
