#include "shared/mail/mime.h"

#include "shared/core/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define NOW_MS INT64_C(1700000000000)

static const struct mail plain = {
	.from = "Trinity <id@example.org>",
	.to = "alice@example.com",
	.subject = "Your code",
	.text = "Hello\n",
};

static void format(const struct mail *mail, struct mx_str *out)
{
	char id[MAIL_ID_MAX];

	mx_str_clear(out);
	assert_int_equal(mail_format(mail, NOW_MS, out, id, NULL), 0);
	assert_non_null(strstr(out->ptr, id));
}

static void assert_has(const struct mx_str *out, const char *part)
{
	if (!strstr(out->ptr, part))
		fail_msg("%s is not in\n%s", part, out->ptr);
}

static void a_plain_mail_has_its_headers(void **state)
{
	mx_str_auto out = { 0 };

	(void)state;
	format(&plain, &out);
	assert_has(&out, "From: \"Trinity\" <id@example.org>\r\n");
	assert_has(&out, "\r\nTo: <alice@example.com>\r\nSubject: Your code\r\n");
	assert_has(&out, "\r\nDate: Tue, 14 Nov 2023 22:13:20 +0000\r\n");
	assert_has(&out, "@example.org>\r\nMIME-Version: 1.0\r\n");
	assert_has(&out, "\r\nAuto-Submitted: auto-generated\r\n");
	assert_has(&out, "\r\n\r\nHello\r\n");
	assert_null(strstr(out.ptr, "multipart"));
}

static void every_line_ends_with_cr_lf_and_is_short(void **state)
{
	struct mail mail = plain;
	mx_str_auto out = { 0 }, text = { 0 };
	size_t column = 0;

	(void)state;
	for (int i = 0; i < 500; i++)
		mx_str_add_text(&text, i % 7 ? "word \xC3\xA4 = " : "end \n");
	mail.text = mail.html = text.ptr;
	format(&mail, &out);
	for (size_t i = 0; i < out.len; i++) {
		if (out.ptr[i] == '\n')
			assert_int_equal(out.ptr[i - 1], '\r');
		if (out.ptr[i] == '\r')
			assert_int_equal(out.ptr[i + 1], '\n');
		column = out.ptr[i] == '\n' ? 0 : column + 1;
		assert_true(column <= 78);
		assert_true((unsigned char)out.ptr[i] < 0x80);
	}
}

static void text_is_quoted_where_it_must_be(void **state)
{
	struct mail mail = plain;
	mx_str_auto out = { 0 };

	(void)state;
	mail.text = "a=b \xC3\xA4\ttab \nblank at the end\t\r\n.\n";
	format(&mail, &out);
	assert_has(&out, "\r\n\r\na=3Db =C3=A4\ttab=20\r\nblank at the end=09\r\n.\r\n");
}

static void other_letters_in_headers_are_encoded(void **state)
{
	struct mail mail = plain;
	mx_str_auto out = { 0 };

	(void)state;
	mail.subject = "Gr\xC3\xBC\xC3\x9F"
		       "e";
	mail.from = "B\xC3\xBC"
		    "cherei <id@example.org>";
	format(&mail, &out);
	assert_has(&out, "Subject: =?UTF-8?B?R3LDvMOfZQ==?=\r\n");
	assert_has(&out, "From: =?UTF-8?B?QsO8Y2hlcmVp?= <id@example.org>\r\n");
}

static void a_long_subject_is_folded_between_characters(void **state)
{
	struct mail mail = plain;
	mx_str_auto out = { 0 }, subject = { 0 };

	(void)state;
	for (int i = 0; i < 50; i++)
		mx_str_add_text(&subject, "\xE2\x82\xAC"); /* 3 bytes each */
	mx_str_add_text(&subject, "\xF0\x9F\x98\x80");
	mail.subject = subject.ptr;
	format(&mail, &out);
	assert_has(&out, "?=\r\n =?UTF-8?B?");
	assert_has(&out, "8J+YgA==?=\r\n"); /* the last character is whole */
}

static void what_looks_encoded_is_encoded(void **state)
{
	struct mail mail = plain;
	mx_str_auto out = { 0 };

	(void)state;
	mail.subject = "=?UTF-8?B?SGk=?=";
	format(&mail, &out);
	assert_has(&out, "Subject: =?UTF-8?B?PT9VVEYtOD9CP1NHaz0/PQ==?=\r\n");
}

static void quotes_in_a_name_stay_inside(void **state)
{
	struct mail mail = plain;
	mx_str_auto out = { 0 };

	(void)state;
	mail.from = "A \"B\" \\ C <id@example.org>";
	format(&mail, &out);
	assert_has(&out, "From: \"A \\\"B\\\" \\\\ C\" <id@example.org>\r\n");
}

static void nothing_gets_a_line_of_its_own_into_the_headers(void **state)
{
	static const char *const evil[] = { "x\r\nBcc: y@z.org", "x\ny", "x\ry", "x\x01y",
					    "x\x7F" };
	char id[MAIL_ID_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(evil) / sizeof(evil[0]); i++) {
		struct mail mails[] = { plain, plain, plain, plain, plain };
		mx_str_auto out = { 0 };

		mails[0].subject = mails[1].from = mails[2].to = mails[3].language =
			mails[4].list_unsubscribe = evil[i];
		for (size_t j = 0; j < sizeof(mails) / sizeof(mails[0]); j++)
			assert_int_equal(mail_format(&mails[j], NOW_MS, &out, id, NULL),
					 -MX_INVALID_PARAM);
	}
}

static void a_mail_goes_to_one_address(void **state)
{
	struct mail mail = plain;
	mx_str_auto out = { 0 };
	char id[MAIL_ID_MAX];

	(void)state;
	mail.to = "a@b.org,c@d.org";
	assert_int_equal(mail_format(&mail, NOW_MS, &out, id, NULL), -MX_INVALID_PARAM);
}

static void no_header_makes_a_line_too_long(void **state)
{
	char much[1200];
	struct mail mail = plain;
	mx_str_auto out = { 0 };
	char id[MAIL_ID_MAX];

	(void)state;
	memset(much, 'x', sizeof(much) - 1);
	much[sizeof(much) - 1] = '\0';
	mail.language = much;
	assert_int_equal(mail_format(&mail, NOW_MS, &out, id, NULL), -MX_INVALID_PARAM);
	mail.language = NULL;
	mail.list_unsubscribe = much;
	assert_int_equal(mail_format(&mail, NOW_MS, &out, id, NULL), -MX_INVALID_PARAM);
	mail.list_unsubscribe = NULL;
	mail.to = much;
	assert_int_equal(mail_format(&mail, NOW_MS, &out, id, NULL), -MX_INVALID_PARAM);
	assert_int_equal(out.len, 0);
}

static void boundaries_cannot_be_guessed(void **state)
{
	struct mail mail = plain;
	mx_str_auto one = { 0 }, two = { 0 };
	const char *first, *second;

	(void)state;
	mail.html = "<p>Hello</p>";
	format(&mail, &one);
	format(&mail, &two);
	first = strstr(one.ptr, "boundary=\"") + 10;
	second = strstr(two.ptr, "boundary=\"") + 10;
	assert_memory_not_equal(first, second, 32);
	assert_has(&one, "Content-Type: text/plain; charset=utf-8\r\n");
	assert_has(&one, "Content-Type: text/html; charset=utf-8\r\n");
	assert_has(&one, "<p>Hello</p>");
}

static void the_envelope_address_is_in_the_sender(void **state)
{
	(void)state;
	assert_true(mx_slice_is(mail_from_address("Trinity <id@example.org>"), "id@example.org"));
	assert_true(mx_slice_is(mail_from_address("id@example.org"), "id@example.org"));
	assert_true(mx_slice_is(mail_from_address(" <id@example.org> "), "id@example.org"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plain_mail_has_its_headers),
		cmocka_unit_test(every_line_ends_with_cr_lf_and_is_short),
		cmocka_unit_test(text_is_quoted_where_it_must_be),
		cmocka_unit_test(other_letters_in_headers_are_encoded),
		cmocka_unit_test(a_long_subject_is_folded_between_characters),
		cmocka_unit_test(what_looks_encoded_is_encoded),
		cmocka_unit_test(quotes_in_a_name_stay_inside),
		cmocka_unit_test(nothing_gets_a_line_of_its_own_into_the_headers),
		cmocka_unit_test(a_mail_goes_to_one_address),
		cmocka_unit_test(no_header_makes_a_line_too_long),
		cmocka_unit_test(boundaries_cannot_be_guessed),
		cmocka_unit_test(the_envelope_address_is_in_the_sender),
	};

	return cmocka_run_group_tests_name("mail/mime", tests, NULL, NULL);
}
