#include "shared/mail/eml.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static struct eml read_text(const char *message)
{
	struct eml eml;

	eml_read(mx_slice(message), "BOUND", &eml);
	return eml;
}

static void parts_are_taken_by_their_type(void **state)
{
	struct eml eml = read_text("From: x\nSubject: Hello\nContent-Type: multipart/alternative;\n"
				   "  boundary=\"BOUND\"\n\npreamble\n--BOUND\n"
				   "Content-Type: text/plain; charset=UTF-8\n\nplain\n--BOUND\n"
				   "Content-Type: text/html; charset=UTF-8\n\n<p>html</p>\n"
				   "--BOUND--\n");

	(void)state;
	assert_string_equal(eml.subject, "Hello");
	assert_string_equal(eml.text, "plain\n");
	assert_string_equal(eml.html, "<p>html</p>\n");
	eml_done(&eml);
}

static void a_folded_subject_is_one_line(void **state)
{
	struct eml eml = read_text("subject: one\r\n two\r\nX-Subject: no\r\n\r\nbody\r\n");

	(void)state;
	assert_string_equal(eml.subject, "one two");
	assert_string_equal(eml.text, "body\r\n");
	assert_null(eml.html);
	eml_done(&eml);
}

static void an_undivided_body_may_be_html(void **state)
{
	struct eml eml = read_text("Content-Type: text/html\n\n<p>x</p>");

	(void)state;
	assert_string_equal(eml.subject, "");
	assert_null(eml.text);
	assert_string_equal(eml.html, "<p>x</p>");
	eml_done(&eml);
}

static void what_is_cut_off_does_no_harm(void **state)
{
	static const char *const odd[] = { "",
					   "Subject: x",
					   "\n\n",
					   "\n--BOUND",
					   "\n--BOUND\nContent-Type: text/html",
					   "Subject:\n\n--BOUND\n--BOUND--" };

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		struct eml eml = read_text(odd[i]);

		assert_non_null(eml.subject);
		eml_done(&eml);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_are_taken_by_their_type),
		cmocka_unit_test(a_folded_subject_is_one_line),
		cmocka_unit_test(an_undivided_body_may_be_html),
		cmocka_unit_test(what_is_cut_off_does_no_harm),
	};
	return cmocka_run_group_tests_name("mail/eml", tests, NULL, NULL);
}
