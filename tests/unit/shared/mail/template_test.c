#include "shared/mail/template.h"

#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "tests/support/store_fixture.h"

#include <sys/stat.h>

static const struct template_value value_items[] = {
	{ "name", "A&B <x>" },
	{ "empty", "" },
	{ "evil", "{{ secret }}%(secret)s" },
	{ "secret", "hidden" },
	{ "lines", "a\r\nBcc: b" },
	{ "none", NULL },
};
static const struct template_values values = { value_items, 6 };

/* What a file of that name with that text becomes. */
static void assert_filled(const char *file, const char *text, const char *expected)
{
	const char *const builtin[][2] = { { file, text }, { NULL } };
	const struct template_conf conf = { .builtin = builtin };
	struct template_set *set;
	mx_str_auto out = { 0 };

	assert_int_equal(template_set_load(&conf, &set, NULL), 0);
	mx_str_add_text(&out, "");
	assert_int_equal(template_render(set, NULL, NULL, file, &values, &out, NULL), 0);
	assert_string_equal(out.ptr ? out.ptr : "", expected);
	template_set_free(set);
}

static void values_are_escaped_for_where_they_stand(void **state)
{
	(void)state;
	assert_filled("t.txt", "Hi {{ name }}!", "Hi A&B <x>!");
	assert_filled("t.html", "Hi {{ name }}!", "Hi A&amp;B &lt;x&gt;!");
	assert_filled("t.txt", "{{name|e}}", "A&amp;B &lt;x&gt;");
	assert_filled("t.html", "<a href=\"?x={{ name | urlencode }}\">",
		      "<a href=\"?x=A%26B%20%3Cx%3E\">");
	assert_filled("t.eml.j2", "{{ name }} {{ name|safe }}", "A&amp;B &lt;x&gt; A&B <x>");
	assert_filled("t_template.html", "%(name)s {{ name }} 5%%",
		      "A&amp;B &lt;x&gt; {{ name }} 5%");
	assert_filled("t.eml", "%(name)s %(name_forhtml)s %(name_forurl)s 100%% 5%",
		      "A&B <x> A&amp;B &lt;x&gt; A%26B%20%3Cx%3E 100% 5%");
}

static void a_value_is_never_a_template(void **state)
{
	(void)state;
	assert_filled("t.txt", "{{ evil }}", "{{ secret }}%(secret)s");
	assert_filled("t.eml", "%(evil)s", "{{ secret }}%(secret)s");
	assert_filled("t.eml", "{{ secret }}", "{{ secret }}");
}

static void a_value_begins_no_line_of_a_whole_mail(void **state)
{
	(void)state;
	assert_filled("t.eml.j2", "X: {{ lines|safe }}\n", "X: a  Bcc: b\n");
	assert_filled("t.eml", "X: %(lines)s\n", "X: a  Bcc: b\n");
	assert_filled("t.txt", "{{ lines }}", "a\r\nBcc: b");
}

static void what_is_not_there_is_empty(void **state)
{
	(void)state;
	assert_filled("t.txt", "[{{ unknown }}{{ none }}{{ empty }}]", "[]");
	assert_filled("t.txt", "", "");
}

static void an_if_chooses_what_is_shown(void **state)
{
	(void)state;
	assert_filled("t.txt", "{% if name %}yes{% endif %}", "yes");
	assert_filled("t.txt", "{% if empty %}yes{% endif %}", "");
	assert_filled("t.txt", "{% if none %}yes{% else %}no{% endif %}.", "no.");
	assert_filled("t.txt",
		      "{% if name %}a{% if none %}b{% else %}c{% endif %}{% else %}d{% endif %}",
		      "ac");
	assert_filled("t.txt", "a{# {{ name }} {% if #}b", "ab");
}

static void what_is_no_template_is_refused_with_its_line(void **state)
{
	static const struct {
		const char *text, *complaint;
	} bad[] = {
		{ "\n\n{{ name", ":3: a brace is not closed" },
		{ "{{ }}", ":1: a value has no proper name" },
		{ "{{ a.b }}", ":1: a value has no proper name" },
		{ "{{ 7*7 }}", ":1: a value has no proper name" },
		{ "\n{{ a|safe }}",
		  ":2: the filters are urlencode and e, and safe in a whole mail" },
		{ "{{ a|e|e }}", ":1: a value has one filter at most" },
		{ "{% for x in y %}", ":1: the statements are if, else and endif" },
		{ "{% if a %}", ":1: an if has no endif" },
		{ "{% endif %}", ":1: an endif without its if" },
		{ "{% else %}", ":1: an else without its if" },
		{ "{% if a %}{% else %}{% else %}{% endif %}", ":1: an else without its if" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *const builtin[][2] = { { "t.html", bad[i].text }, { NULL } };
		struct template_set *set;
		struct mx_error err = { 0 };

		assert_int_equal(template_set_load(&(struct template_conf){ .builtin = builtin },
						   &set, &err),
				 -MX_BAD_CONFIG);
		if (!strstr(err.text, bad[i].complaint))
			fail_msg("%s: %s", bad[i].text, err.text);
	}
}

static void ifs_have_a_greatest_depth(void **state)
{
	mx_str_auto text = { 0 };
	const char *builtin[][2] = { { "t.txt", NULL }, { NULL } };
	const struct template_conf conf = { .builtin = (const char *const(*)[2])builtin };
	struct template_set *set;

	(void)state;
	for (int i = 0; i < 9; i++)
		mx_str_add_text(&text, "{% if name %}");
	for (int i = 0; i < 9; i++)
		mx_str_add_text(&text, "{% endif %}");
	builtin[0][1] = text.ptr;
	assert_int_equal(template_set_load(&conf, &set, NULL), -MX_BAD_CONFIG);
}

/* ---- directories */

static void write_file(const char *directory, const char *name, const char *text)
{
	mx_autofree char *path = mx_strf("%s/%s", directory, name);

	for (char *at = path + strlen(directory) + 1; (at = strchr(at, '/')); at++) {
		*at = '\0';
		mkdir(path, 0700);
		*at = '/';
	}
	store_fixture_file(path, text);
}

static const char *const builtin_texts[][2] = {
	{ "en/a.txt", "built-in en" },
	{ "de/a.txt", "built-in de" },
	{ "en/b.txt", "only en" },
	{ "c.css", "every language" },
	{ NULL },
};

static void assert_rendered(struct template_set *set, const char *brand, const char *language,
			    const char *file, const char *expected)
{
	mx_str_auto out = { 0 };

	assert_int_equal(template_render(set, brand, language, file, &values, &out, NULL), 0);
	assert_string_equal(out.ptr, expected);
}

static void the_nearest_text_is_taken(void **state)
{
	char *directory = store_fixture_directory();
	const struct template_conf conf = { .directory = directory,
					    .default_brand = "house",
					    .default_language = "en",
					    .builtin = builtin_texts };
	struct template_set *set;
	mx_str_auto out = { 0 };

	(void)state;
	write_file(directory, "house/a.txt", "house");
	write_file(directory, "shop/de/a.txt", "shop de");
	write_file(directory, "shop/en/d.txt", "shop en d");
	write_file(directory, "shop/.hidden/x.txt", "{{");
	write_file(directory, ".git/config", "{{");
	assert_int_equal(template_set_load(&conf, &set, NULL), 0);
	assert_true(template_has_brand(set, "shop"));
	assert_false(template_has_brand(set, "../../etc"));
	assert_rendered(set, "shop", "de", "a.txt", "shop de");
	assert_rendered(set, "shop", "fr", "a.txt", "house");
	assert_rendered(set, "shop", "fr", "d.txt", "shop en d");
	assert_rendered(set, "../../etc", "de", "a.txt", "house");
	assert_rendered(set, NULL, NULL, "b.txt", "only en");
	assert_rendered(set, "shop", "de", "c.css", "every language");
	assert_int_equal(template_render(set, "shop", "de", "z.txt", &values, &out, NULL),
			 -MX_NOT_FOUND);
	template_set_free(set);
	store_fixture_directory_remove(directory);
}

static void the_reader_s_language_is_chosen(void **state)
{
	const struct template_conf conf = { .builtin = builtin_texts, .default_language = "en" };
	struct template_set *set;

	(void)state;
	assert_int_equal(template_set_load(&conf, &set, NULL), 0);
	assert_string_equal(template_language(set, NULL), "en");
	assert_string_equal(template_language(set, "de"), "de");
	assert_string_equal(template_language(set, "DE-at"), "de");
	assert_string_equal(template_language(set, "fr, de;q=0.5"), "de");
	assert_string_equal(template_language(set, "de;q=0.2, en;q=0.8"), "en");
	assert_string_equal(template_language(set, "fr;q=1, *;q=0.1"), "en");
	assert_string_equal(template_language(set, ";;,,=q,de;q=0"), "en");
	template_set_free(set);
}

static void a_directory_that_is_not_there_is_refused(void **state)
{
	struct template_set *set;

	(void)state;
	assert_int_equal(
		template_set_load(&(struct template_conf){ .directory = "/nowhere" }, &set, NULL),
		-MX_BAD_CONFIG);
}

static void a_set_is_read_again_whole_or_not_at_all(void **state)
{
	char *directory = store_fixture_directory();
	const struct template_conf conf = { .directory = directory, .default_brand = "house" };
	mx_autofree char *expected = mx_strf("%s/house/b.txt:2:", directory);
	struct mx_error err = { 0 };
	struct template_set *set;
	const char *language;

	(void)state;
	write_file(directory, "house/de/a.txt", "old");
	assert_int_equal(template_set_load(&conf, &set, NULL), 0);
	language = template_language(set, "de");
	write_file(directory, "house/de/a.txt", "new");
	write_file(directory, "house/b.txt", "fine\n{{ broken");
	assert_int_equal(template_set_reload(set, &conf, &err), -MX_BAD_CONFIG);
	assert_memory_equal(err.text, expected, strlen(expected));
	assert_rendered(set, NULL, "de", "a.txt", "old");
	write_file(directory, "house/b.txt", "mended");
	assert_int_equal(template_set_reload(set, &conf, &err), 0);
	assert_rendered(set, NULL, language, "a.txt", "new");
	assert_string_equal(language, "de");
	template_set_free(set);
	store_fixture_directory_remove(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_escaped_for_where_they_stand),
		cmocka_unit_test(a_value_is_never_a_template),
		cmocka_unit_test(a_value_begins_no_line_of_a_whole_mail),
		cmocka_unit_test(what_is_not_there_is_empty),
		cmocka_unit_test(an_if_chooses_what_is_shown),
		cmocka_unit_test(what_is_no_template_is_refused_with_its_line),
		cmocka_unit_test(ifs_have_a_greatest_depth),
		cmocka_unit_test(the_nearest_text_is_taken),
		cmocka_unit_test(the_reader_s_language_is_chosen),
		cmocka_unit_test(a_directory_that_is_not_there_is_refused),
		cmocka_unit_test(a_set_is_read_again_whole_or_not_at_all),
	};

	return cmocka_run_group_tests_name("mail/template", tests, NULL, NULL);
}
