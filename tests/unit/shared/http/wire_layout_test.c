#include "shared/http/wire_layout.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Blanks that the parser skips are NULs here like the one that it replaced. */
static char *behind_nuls(char *text)
{
	text += strlen(text);
	while (*text == '\0')
		text++;
	return text;
}

/* A header block as the old parser leaves it: each separator has become NUL, so has '|', which
 * stands for a bare LF, '^' is a CR or LF of a line end. Names begin where lines do. */
static bool is_clean(const char *picture)
{
	static char block[512];
	size_t len = strlen(picture);
	struct wire_layout layout;
	struct mx_slice target;
	char *at = block;

	for (size_t i = 0; i <= len; i++)
		block[i] = picture[i] && strchr("_:^|", picture[i]) ? '\0' : picture[i];
	target = mx_slice(behind_nuls(block));
	at = behind_nuls((char *)target.ptr);
	layout = wire_layout_begin(block, target, at, len);
	at += strlen(at) + (picture[at - block + strlen(at)] == '|' ? 1 : 2);
	while (at < block + len && picture[at - block] != '^' && picture[at - block] != '|') {
		char *value = at + strlen(at) + 1;
		size_t end;

		value += strspn(value, " \t");
		wire_layout_header(&layout, mx_slice(at), mx_slice(value));
		end = (size_t)(value - block) + strlen(value);
		at = block + end + (picture[end] == '|' ? 1 : 2);
		/* A folded line is no header; the parser has put it somewhere else. */
		while (*at == ' ')
			at += strlen(at) + 2;
	}
	return wire_layout_is_clean(&layout);
}

static void a_block_of_lines_is_clean(void **state)
{
	(void)state;
	assert_true(is_clean("GET_/a_HTTP/1.1^^Host:h^^^^"));
	assert_true(is_clean("GET_/a_HTTP/1.1^^Host:  h^^X:\ty^^Z:^^^^"));
	assert_true(is_clean("GET_/_HTTP/1.0^^^^"));
}

static void a_bare_lf_is_a_byte_too_few(void **state)
{
	(void)state;
	assert_false(is_clean("GET_/a_HTTP/1.1|Host:h^^^^"));
	assert_false(is_clean("GET_/a_HTTP/1.1^^Host:h|X:y^^^^"));
	assert_false(is_clean("GET_/a_HTTP/1.1^^Host:h|^^"));
	assert_false(is_clean("GET_/a_HTTP/1.1^^Host:h^^|"));
	assert_false(is_clean("GET_/a_HTTP/1.0|^^"));
}

static void a_folded_line_is_too_many_bytes(void **state)
{
	(void)state;
	assert_false(is_clean("GET_/a_HTTP/1.1^^Host:h^^ i^^X:y^^^^"));
	assert_false(is_clean("GET_/a_HTTP/1.1^^Host:h^^ ^^^^"));
}

static void another_blank_in_the_request_line_is_too_many_bytes(void **state)
{
	(void)state;
	assert_false(is_clean("GET__/a_HTTP/1.1^^Host:h^^^^"));
	assert_false(is_clean("GET_/a__HTTP/1.1^^Host:h^^^^"));
}

static void names_that_were_moved_do_not_fit(void **state)
{
	static const char block[] = "GET\0/\0HTTP/1.1\0\0Hos\0h\0\0 t\0\0\0\0";
	struct mx_slice target = mx_slice(block + 4);
	struct wire_layout layout;

	(void)state;
	layout = wire_layout_begin(block, target, block + 6, sizeof(block) - 1);
	wire_layout_header(&layout, MX_SLICE("Host"), mx_slice(block + 20));
	assert_false(wire_layout_is_clean(&layout));
	/* Nothing that comes later mends it. */
	wire_layout_header(&layout, mx_slice(block + 16), mx_slice(block + 20));
	assert_false(wire_layout_is_clean(&layout));
}

static void a_value_must_lie_behind_its_name_and_inside_the_block(void **state)
{
	static const char block[] = "GET\0/\0HTTP/1.1\0\0Host\0h\0\0\0\0";
	const struct wire_layout begun = wire_layout_begin(block, mx_slice(block + 4), block + 6,
							   sizeof(block) - 1);
	const struct mx_slice name = mx_slice(block + 16);
	const struct mx_slice values[] = {
		{ block + 20, 1 },   { block, 1 }, { block + sizeof(block), 0 },
		{ block + 21, 100 }, MX_SLICE(""),
	};
	struct wire_layout layout = begun;

	(void)state;
	wire_layout_header(&layout, name, mx_slice(block + 21));
	assert_true(wire_layout_is_clean(&layout));
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		layout = begun;
		wire_layout_header(&layout, name, values[i]);
		assert_false(wire_layout_is_clean(&layout));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_block_of_lines_is_clean),
		cmocka_unit_test(a_bare_lf_is_a_byte_too_few),
		cmocka_unit_test(a_folded_line_is_too_many_bytes),
		cmocka_unit_test(another_blank_in_the_request_line_is_too_many_bytes),
		cmocka_unit_test(names_that_were_moved_do_not_fit),
		cmocka_unit_test(a_value_must_lie_behind_its_name_and_inside_the_block),
	};
	return cmocka_run_group_tests_name("http/wire_layout", tests, NULL, NULL);
}
