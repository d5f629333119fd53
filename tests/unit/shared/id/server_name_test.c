#include "shared/id/server_name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct mx_server_name parsed(const char *text)
{
	struct mx_server_name name;

	assert_true(mx_server_name_parse(mx_slice(text), &name));
	return name;
}

static void names_are_taken_apart(void **state)
{
	struct mx_server_name name = parsed("Matrix-1.example.ORG:8448");

	(void)state;
	assert_true(mx_slice_is(name.host, "Matrix-1.example.ORG"));
	assert_int_equal(name.kind, MX_HOST_DNS);
	assert_int_equal(name.port, 8448);
	name = parsed("localhost");
	assert_true(mx_slice_is(name.host, "localhost"));
	assert_int_equal(name.port, 0);
}

static void addresses_are_known_as_such(void **state)
{
	struct mx_server_name name = parsed("1.2.3.4:65535");

	(void)state;
	assert_int_equal(name.kind, MX_HOST_IPV4);
	assert_true(mx_slice_is(name.host, "1.2.3.4"));
	assert_int_equal(name.port, 65535);
	name = parsed("[2001:db8::1]:1");
	assert_int_equal(name.kind, MX_HOST_IPV6);
	assert_true(mx_slice_is(name.host, "2001:db8::1"));
	assert_int_equal(name.port, 1);
}

static void a_nul_inside_is_refused(void **state)
{
	(void)state;
	assert_false(mx_server_name_valid(mx_slice_of("a\0b", 3)));
	assert_false(mx_server_name_valid(mx_slice_of("1.2.3.4\0", 8)));
	assert_false(mx_server_name_valid(mx_slice_of("[::1\0]", 6)));
	assert_false(mx_server_name_valid(mx_slice_of(NULL, 0)));
}

static void names_have_at_most_255_bytes(void **state)
{
	char text[256];

	(void)state;
	memset(text, 'a', sizeof(text));
	assert_true(mx_server_name_valid(mx_slice_of(text, 255)));
	assert_false(mx_server_name_valid(mx_slice_of(text, 256)));
}

static void a_refused_name_leaves_the_result_alone(void **state)
{
	struct mx_server_name name = { .port = 7 };

	(void)state;
	assert_false(mx_server_name_parse(MX_SLICE("host:0"), &name));
	assert_int_equal(name.port, 7);
	assert_null(name.host.ptr);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_taken_apart),
		cmocka_unit_test(addresses_are_known_as_such),
		cmocka_unit_test(a_nul_inside_is_refused),
		cmocka_unit_test(names_have_at_most_255_bytes),
		cmocka_unit_test(a_refused_name_leaves_the_result_alone),
	};
	return cmocka_run_group_tests_name("id/server_name", tests, NULL, NULL);
}
