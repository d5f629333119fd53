#include "shared/net/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/un.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void an_address_is_read_and_written(void **state)
{
	static const char *const texts[][2] = {
		{ "192.0.2.1", "192.0.2.1" },
		{ "0.0.0.0", "0.0.0.0" },
		{ "2001:DB8:0:0::1", "2001:db8::1" },
		{ "::", "::" },
		{ "::ffff:10.0.0.1", "::ffff:10.0.0.1" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		char text[NET_ADDRESS_TEXT_MAX];
		struct net_address address;

		assert_true(net_address_parse(texts[i][0], &address));
		net_address_format(&address, text);
		assert_string_equal(text, texts[i][1]);
	}
}

/* Those that C libraries read as addresses, and URLs too, are none here. */
static void other_spellings_are_no_addresses(void **state)
{
	static const char *const texts[] = {
		"",           "1",         "127.1",      "0x7f.0.0.1",  "0177.0.0.1",
		"2130706433", "1.2.3.4.5", "1.2.3.256",  "1.2.3.4 ",    " 1.2.3.4",
		"1.2.3.4:80", "[::1]",     "fe80::1%lo", "::1/128",     ":::",
		"1::2::3",    "a.test",    "12345::",    "::1.2.3.256", "::1:65536",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct net_address address = { .any.sa_family = 77 };

		if (net_address_parse(texts[i], &address))
			fail_msg("%s is one", texts[i]);
		assert_int_equal(address.any.sa_family, 77);
	}
}

static void a_key_is_the_address_without_its_port(void **state)
{
	struct net_address a, b, other, six;

	(void)state;
	assert_true(net_address_parse("192.0.2.1", &a));
	b = a;
	b.v4.sin_port = 443;
	assert_true(net_address_parse("192.0.2.2", &other));
	assert_true(net_address_parse("::1", &six));
	assert_true(mx_slice_eq(net_address_key(&a), net_address_key(&b)));
	assert_false(mx_slice_eq(net_address_key(&a), net_address_key(&other)));
	assert_int_equal(net_address_key(&a).len, 4);
	assert_int_equal(net_address_key(&six).len, 16);
}

static void only_internet_addresses_are_taken(void **state)
{
	struct sockaddr_un local = { .sun_family = AF_UNIX, .sun_path = "/run/x" };
	struct net_address six, copy;

	(void)state;
	assert_false(net_address_from((const struct sockaddr *)&local, &copy));
	assert_true(net_address_parse("2001:db8::7", &six));
	assert_true(net_address_from(&six.any, &copy));
	assert_memory_equal(&copy.v6.sin6_addr, &six.v6.sin6_addr, sizeof(six.v6.sin6_addr));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_read_and_written),
		cmocka_unit_test(other_spellings_are_no_addresses),
		cmocka_unit_test(a_key_is_the_address_without_its_port),
		cmocka_unit_test(only_internet_addresses_are_taken),
	};
	return cmocka_run_group_tests_name("net/address", tests, NULL, NULL);
}
