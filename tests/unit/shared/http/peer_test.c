#include "shared/http/peer.h"

#include "shared/core/str.h"

#include <netinet/in.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct peer peer(const char *text)
{
	struct peer parsed;

	assert_true(peer_parse(mx_slice(text), &parsed));
	return parsed;
}

static const char *name(struct peer parsed)
{
	static char text[PEER_TEXT_MAX];

	peer_format(&parsed, text);
	return text;
}

static void both_forms_of_an_ipv4_address_are_one_peer(void **state)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	struct peer old = peer("192.0.2.1"), mapped = peer("::ffff:192.0.2.1");

	(void)state;
	assert_memory_equal(old.address, mapped.address, 16);
	memcpy(&v6.sin6_addr, mapped.address, 16);
	memcpy(&v4.sin_addr, old.address + 12, 4);
	assert_string_equal(name(peer_of((struct sockaddr *)&v4)), "192.0.2.1");
	assert_string_equal(name(peer_of((struct sockaddr *)&v6)), "192.0.2.1");
	assert_string_equal(name(peer("[2001:DB8::1]")), "2001:db8::1");
}

static void a_unix_socket_is_no_address(void **state)
{
	struct sockaddr local = { .sa_family = AF_UNIX };
	struct peer_range all;
	struct peer none = peer_of(NULL), here = peer_of(&local);

	(void)state;
	assert_string_equal(name(none), "unix");
	assert_string_equal(name(here), "unix");
	assert_false(peer_is_loopback(&here));
	assert_true(peer_range_parse("::/0", &all));
	assert_false(peer_in_range(&here, &all));
}

static void what_is_no_address_does_not_parse(void **state)
{
	static const char *const bad[] = { "",       "evil",       "1.2.3",       "1.2.3.4.5",
					   "[::1",   "1.2.3.4:80", "[::1]:80",    "::g",
					   "0x7f.1", " 1.2.3.4",   "fe80::1%eth0" };
	struct peer parsed;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(peer_parse(mx_slice(bad[i]), &parsed));
	assert_false(peer_parse(MX_SLICE("1.2.3.4\0"), &parsed));
}

static void loopback_is_all_of_127_and_one(void **state)
{
	struct peer yes[] = { peer("127.0.0.1"), peer("127.9.9.9"), peer("::1") };
	struct peer no[] = { peer("128.0.0.1"), peer("::2"), peer("::127.0.0.1") };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_true(peer_is_loopback(&yes[i]));
		assert_false(peer_is_loopback(&no[i]));
	}
}

static void one_customer_is_one_address_or_one_64(void **state)
{
	struct peer a = peer("2001:db8:0:1::1"), b = peer("2001:db8:0:1:ffff::"),
		    c = peer("2001:db8:0:2::1"), v4 = peer("192.0.2.1"), next = peer("192.0.2.2");

	(void)state;
	assert_true(mx_slice_eq(peer_key(&a), peer_key(&b)));
	assert_false(mx_slice_eq(peer_key(&a), peer_key(&c)));
	assert_false(mx_slice_eq(peer_key(&v4), peer_key(&next)));
}

static bool in(const char *address, const char *range)
{
	struct peer parsed = peer(address);
	struct peer_range parsed_range;

	assert_true(peer_range_parse(range, &parsed_range));
	return peer_in_range(&parsed, &parsed_range);
}

static void ranges_end_at_any_bit(void **state)
{
	(void)state;
	assert_true(in("10.255.0.1", "10.0.0.0/8"));
	assert_false(in("11.0.0.1", "10.0.0.0/8"));
	assert_true(in("172.31.255.255", "172.16.0.0/12"));
	assert_false(in("172.32.0.0", "172.16.0.0/12"));
	assert_true(in("192.0.2.1", "192.0.2.1"));
	assert_false(in("192.0.2.0", "192.0.2.1"));
	assert_true(in("1.2.3.4", "0.0.0.0/0"));
	assert_false(in("::1", "0.0.0.0/0"));
	assert_true(in("2001:db8::9", "2001:db8::8/125"));
	assert_false(in("2001:db8::10", "2001:db8::8/125"));
}

static void broken_ranges_are_refused(void **state)
{
	static const char *const bad[] = { "",          "10.0.0.0/33",  "10.0.0.0/-1",
					   "10.0.0.0/", "10.0.0.0/8/8", "::/129",
					   "/8",        "10/8" };
	struct peer_range range;
	struct peer_ranges ranges = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *const list[] = { "::1", bad[i], NULL };

		assert_false(peer_range_parse(bad[i], &range));
		assert_false(peer_ranges_load(list, &ranges));
	}
	assert_true(peer_ranges_load(NULL, &ranges));
	assert_int_equal(ranges.len, 0);
	peer_ranges_done(&ranges);
}

static const char *client(const char *forwarded_for)
{
	static const char *const list[] = { "127.0.0.1", "10.0.0.0/8", NULL };
	struct peer_ranges trusted;
	struct peer proxy = peer("127.0.0.1"), found;

	assert_true(peer_ranges_load(list, &trusted));
	found = peer_behind(&trusted, &proxy, mx_slice(forwarded_for));
	peer_ranges_done(&trusted);
	return name(found);
}

static void the_client_is_the_last_who_is_no_proxy_of_ours(void **state)
{
	(void)state;
	assert_string_equal(client("203.0.113.7"), "203.0.113.7");
	assert_string_equal(client("198.51.100.1, 203.0.113.7"), "203.0.113.7");
	assert_string_equal(client("203.0.113.7, 10.1.2.3 ,\t10.1.2.4"), "203.0.113.7");
	assert_string_equal(client("10.1.2.3"), "10.1.2.3");
	assert_string_equal(client(""), "127.0.0.1");
	assert_string_equal(client("evil"), "127.0.0.1");
	assert_string_equal(client("203.0.113.7, evil"), "127.0.0.1");
	assert_string_equal(client("203.0.113.7, evil, 10.0.0.1"), "10.0.0.1");
	assert_string_equal(client("203.0.113.7,"), "127.0.0.1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_forms_of_an_ipv4_address_are_one_peer),
		cmocka_unit_test(a_unix_socket_is_no_address),
		cmocka_unit_test(what_is_no_address_does_not_parse),
		cmocka_unit_test(loopback_is_all_of_127_and_one),
		cmocka_unit_test(one_customer_is_one_address_or_one_64),
		cmocka_unit_test(ranges_end_at_any_bit),
		cmocka_unit_test(broken_ranges_are_refused),
		cmocka_unit_test(the_client_is_the_last_who_is_no_proxy_of_ours),
	};
	return cmocka_run_group_tests_name("http/peer", tests, NULL, NULL);
}
