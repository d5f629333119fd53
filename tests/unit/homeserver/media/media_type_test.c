#include "homeserver/media/media_type.h"

#include "shared/core/str.h"
#include "tests/support/arena_fixture.h"

static void good_types_stay_as_they_are(void **mem)
{
	static const char *const good[] = { "image/png", "text/plain; charset=utf-8",
					    "application/x.y+z", "IMAGE/PNG" };

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_string_equal(media_type_clean(good[i], *mem), good[i]);
}

static void anything_else_is_some_bytes(void **mem)
{
	static const char *const bad[] = { "",
					   "image",
					   "image/",
					   "/png",
					   "a b/png",
					   "image/png\r\nX: y",
					   "image/p\303\244ng",
					   "image/png,text/html" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_string_equal(media_type_clean(bad[i], *mem), MEDIA_TYPE_UNKNOWN);
	assert_string_equal(media_type_clean(NULL, *mem), MEDIA_TYPE_UNKNOWN);
}

static void what_browsers_do_not_run_is_shown_in_them(void **mem)
{
	(void)mem;
	assert_true(media_type_is_inline("image/png"));
	assert_true(media_type_is_inline("Image/PNG"));
	assert_true(media_type_is_inline("text/plain; charset=utf-8"));
	assert_false(media_type_is_inline("text/html"));
	assert_false(media_type_is_inline("image/svg+xml"));
	assert_false(media_type_is_inline("image/pngx"));
	assert_false(media_type_is_inline("image/pn"));
	assert_true(media_type_is_picture("image/webp"));
	assert_false(media_type_is_picture("video/mp4"));
}

static void names_are_the_last_part_of_a_path(void **mem)
{
	assert_string_equal(media_name_clean("../../etc/passwd", *mem), "passwd");
	assert_string_equal(media_name_clean("C:\\cats\\tom.png", *mem), "tom.png");
	assert_string_equal(media_name_clean("../..", *mem), "");
	assert_string_equal(media_name_clean(".", *mem), "");
	assert_string_equal(media_name_clean("cats/", *mem), "");
	assert_string_equal(media_name_clean(NULL, *mem), "");
}

static void names_have_no_controls_and_read_as_they_are(void **mem)
{
	assert_string_equal(media_name_clean("a\r\nX: b\x7f.png", *mem), "aX: b.png");
	assert_string_equal(media_name_clean("a\xc2\x85z", *mem), "az");
	assert_string_equal(media_name_clean("cat\xe2\x80\xaegnp.exe", *mem), "catgnp.exe");
	assert_string_equal(media_name_clean("\xe2\x81\xa6x\xd8\x9c", *mem), "x");
	assert_string_equal(media_name_clean("\xff\xfeok", *mem), "ok");
	assert_string_equal(media_name_clean("k\xc3\xa4tzchen.png", *mem), "k\xc3\xa4tzchen.png");
}

static void long_names_are_cut_between_characters(void **mem)
{
	mx_str_auto name = { 0 };
	const char *clean;

	mx_str_add_char(&name, 'x');
	for (int i = 0; i < 5000; i++)
		mx_str_add_text(&name, "\xc3\xa4");
	clean = media_name_clean(name.ptr, *mem);
	assert_int_equal(strlen(clean), 255);
}

static void dispositions_name_the_file(void **mem)
{
	assert_string_equal(media_disposition("image/png", "", *mem), "inline");
	assert_string_equal(media_disposition("text/html", "a.html", *mem),
			    "attachment; filename=\"a.html\"");
	assert_string_equal(media_disposition("image/png", "a \"b\" \\.png", *mem),
			    "inline; filename=\"a \\\"b\\\" \\\\.png\"");
	assert_string_equal(media_disposition("image/png", "k\xc3\xa4tzchen.png", *mem),
			    "inline; filename*=utf-8''k%C3%A4tzchen.png");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		arena_test(good_types_stay_as_they_are),
		arena_test(anything_else_is_some_bytes),
		arena_test(what_browsers_do_not_run_is_shown_in_them),
		arena_test(names_are_the_last_part_of_a_path),
		arena_test(names_have_no_controls_and_read_as_they_are),
		arena_test(long_names_are_cut_between_characters),
		arena_test(dispositions_name_the_file),
	};

	return cmocka_run_group_tests_name("media/media_type", tests, NULL, NULL);
}
