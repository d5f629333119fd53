#include "shared/net/cidr.h"

#include "shared/core/error.h"
#include "shared/net/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/un.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct mx_cidr_set *set_of(const char *text)
{
	struct mx_cidr_set *set = NULL;

	assert_int_equal(mx_cidr_set_new(&text, 1, &set, NULL), 0);
	return set;
}

static bool permitted(const char *text, const struct mx_cidr_set *allow,
		      const struct mx_cidr_set *deny)
{
	struct net_address address;

	assert_true(net_address_parse(text, &address));
	return mx_address_permitted(&address.any, allow, deny);
}

static bool range_has(const char *range, const char *text)
{
	struct mx_cidr_set *set = set_of(range);
	struct net_address address;
	bool has;

	assert_true(net_address_parse(text, &address));
	has = mx_cidr_set_has(set, &address.any);
	mx_cidr_set_free(set);
	return has;
}

/* First and last of each refused range, and the neighbours that are not. */
static const char *const refused[] = {
	"0.0.0.0",
	"0.255.255.255",
	"10.0.0.0",
	"10.255.255.255",
	"100.64.0.0",
	"100.127.255.255",
	"127.0.0.1",
	"127.255.255.255",
	"169.254.0.0",
	"169.254.169.254",
	"172.16.0.0",
	"172.31.255.255",
	"192.0.0.0",
	"192.0.0.255",
	"192.0.2.1",
	"192.88.99.1",
	"192.168.0.0",
	"192.168.255.255",
	"198.18.0.0",
	"198.19.255.255",
	"198.51.100.7",
	"203.0.113.255",
	"224.0.0.1",
	"239.255.255.255",
	"240.0.0.1",
	"255.255.255.254",
	"255.255.255.255",
	"::",
	"::1",
	"::2",
	"::8.8.8.8",
	"::ffff:8.8.8.8",
	"::ffff:0:8.8.8.8",
	"64:ff9b::8.8.8.8",
	"64:ff9b:1::1",
	"64:ff9b:1:ffff::1",
	"100::1",
	"100:0:0:1::1",
	"2001::1",
	"2001:0:ffff::1",
	"2001:2::1",
	"2001:10::1",
	"2001:1f:ffff::1",
	"2001:20::1",
	"2001:2f::1",
	"2001:db8::1",
	"2002::1",
	"2002:808:808::1",
	"3fff::1",
	"3fff:fff::1",
	"5f00::1",
	"fc00::1",
	"fd00::1",
	"fdff:ffff::1",
	"fe80::1",
	"febf::1",
	"fec0::1",
	"feff::1",
	"ff02::1",
	"ffff::1",
	"2600::5efe:8.8.8.8",
	"2600::200:5efe:10.0.0.1",
};

static const char *const usual[] = {
	"1.0.0.0",
	"9.255.255.255",
	"11.0.0.0",
	"100.63.255.255",
	"100.128.0.0",
	"126.255.255.255",
	"128.0.0.0",
	"169.253.255.255",
	"169.255.0.0",
	"172.15.255.255",
	"172.32.0.0",
	"192.0.1.0",
	"192.0.3.0",
	"192.88.98.255",
	"192.88.100.0",
	"192.167.255.255",
	"192.169.0.0",
	"198.17.255.255",
	"198.20.0.0",
	"198.51.99.255",
	"198.51.101.0",
	"203.0.112.255",
	"203.0.114.0",
	"223.255.255.255",
	"8.8.8.8",
	"64:ff9a::1",
	"64:ff9b:2::1",
	"101::1",
	"2001:1::1",
	"2001:3::1",
	"2001:30::1",
	"2001:db7::1",
	"2001:db9::1",
	"2003::1",
	"2600::1",
	"2a00:1450:4001::200e",
	"3fff:1000::1",
	"5eff::1",
	"5f01::1",
	"fbff::1",
	"fe00::1",
	"fe7f::1",
	"2600::100:5efe:10.0.0.1",
	"2600::5eff:10.0.0.1",
};

static void special_ranges_are_refused_and_their_neighbours_are_not(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(refused); i++)
		if (permitted(refused[i], NULL, NULL))
			fail_msg("%s is permitted", refused[i]);
	for (size_t i = 0; i < COUNT(usual); i++)
		if (!permitted(usual[i], NULL, NULL))
			fail_msg("%s is refused", usual[i]);
}

static void an_allowed_range_opens_only_itself(void **state)
{
	struct mx_cidr_set *allow = set_of("127.0.0.0/8");

	(void)state;
	assert_true(permitted("127.0.0.1", allow, NULL));
	assert_false(permitted("10.0.0.1", allow, NULL));
	assert_false(permitted("::1", allow, NULL));
	mx_cidr_set_free(allow);
}

static void deny_is_stronger_than_allow(void **state)
{
	struct mx_cidr_set *allow = set_of("10.0.0.0/8"), *deny = set_of("10.1.0.0/16");

	(void)state;
	assert_true(permitted("10.0.0.1", allow, deny));
	assert_false(permitted("10.1.0.1", allow, deny));
	assert_false(permitted("::ffff:10.1.0.1", allow, deny));
	mx_cidr_set_free(allow);
	mx_cidr_set_free(deny);
}

static void a_denied_public_range_is_refused(void **state)
{
	struct mx_cidr_set *deny = set_of("8.8.8.0/24");

	(void)state;
	assert_false(permitted("8.8.8.8", NULL, deny));
	assert_true(permitted("8.8.9.8", NULL, deny));
	mx_cidr_set_free(deny);
}

static void ipv4_ranges_match_every_ipv6_form(void **state)
{
	static const char *const forms[] = {
		"10.1.2.3",
		"::ffff:10.1.2.3",
		"::10.1.2.3",
		"::ffff:0:10.1.2.3",
		"64:ff9b::10.1.2.3",
		"64:ff9b:1::10.1.2.3",
		"64:ff9b:1:0:a:102:300::", /* a prefix of 64 bits */
		"64:ff9b:1:a:1:203::", /* of 56 */
		"64:ff9b:1:a01:2:300::", /* of 48 */
		"2600::5efe:10.1.2.3",
		"2600::200:5efe:10.1.2.3",
		"2002:a01:203::1",
		/* Teredo inverts the client's address: ~10.1.2.3 = f5fe:fdfc. */
		"2001:0:4136:e378:8000:63bf:f5fe:fdfc",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(forms); i++)
		if (!range_has("10.0.0.0/8", forms[i]))
			fail_msg("%s is not seen", forms[i]);
	assert_false(range_has("10.0.0.0/8", "2a00::10.1.2.3"));
	assert_false(range_has("10.0.0.0/8", "2002:b01:203::1"));
	assert_false(range_has("10.0.0.0/8", "2001:0:a01:203::1"));
}

/* A site's NAT64 may read 64:ff9b:1:a01:2:300:7f00:1 as 10.1.2.3 or as 127.0.0.1. */
static void an_ambiguous_form_is_allowed_only_in_all_its_readings(void **state)
{
	struct mx_cidr_set *allow = set_of("10.0.0.0/8"), *v6 = set_of("64:ff9b:1::/48");

	(void)state;
	assert_false(permitted("64:ff9b:1:a01:2:300:7f00:1", allow, NULL));
	assert_false(permitted("64:ff9b:1::10.1.2.3", allow, NULL));
	assert_true(permitted("64:ff9b:1:a01:2:300:7f00:1", v6, NULL));
	assert_false(permitted("64:ff9b:1:a01:2:300:7f00:1", v6, allow));
	assert_true(permitted("64:ff9b::10.1.2.3", allow, NULL));
	assert_false(permitted("2002:a01:203::5efe:127.0.0.1", allow, NULL));
	mx_cidr_set_free(allow);
	mx_cidr_set_free(v6);
}

static void prefix_lengths_cut_inside_a_byte(void **state)
{
	(void)state;
	assert_true(range_has("192.0.2.128/25", "192.0.2.255"));
	assert_false(range_has("192.0.2.128/25", "192.0.2.127"));
	assert_true(range_has("192.0.2.1", "192.0.2.1"));
	assert_false(range_has("192.0.2.1", "192.0.2.0"));
	assert_true(range_has("0.0.0.0/0", "203.0.113.9"));
	assert_false(range_has("0.0.0.0/0", "2600::1"));
	assert_true(range_has("::/0", "2600::1"));
	assert_true(range_has("fd00::/9", "fd7f::1"));
	assert_false(range_has("fd00::/9", "fd80::1"));
}

static void bits_behind_the_prefix_do_not_count(void **state)
{
	(void)state;
	assert_true(range_has("10.1.2.3/8", "10.200.0.1"));
	assert_true(range_has("2600::1/16", "2600:1::2"));
}

static void a_mapped_range_is_an_ipv4_range(void **state)
{
	(void)state;
	assert_true(range_has("::ffff:10.0.0.0/104", "10.9.9.9"));
	assert_false(range_has("::ffff:10.0.0.0/104", "11.9.9.9"));
}

static void what_is_no_range_is_named(void **state)
{
	static const char *const bad[] = {
		"",
		"/8",
		"10.0.0.0/",
		"10.0.0.0/33",
		"10.0.0.0/-1",
		"10.0.0/8",
		"10.0.0.0/8/8",
		"fd00::/129",
		"fd00::/x",
		"example.org",
		"10.0.0.0 /8",
		"fe80::1%lo",
		"1",
		"11111111111111111111111111111111111111111111111111111111111111111111111111/8",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		const char *const texts[] = { "10.0.0.0/8", bad[i] };
		struct mx_cidr_set *set = NULL;
		struct mx_error err = { 0 };

		assert_int_equal(mx_cidr_set_new(texts, 2, &set, &err), -MX_BAD_CONFIG);
		assert_null(set);
		assert_non_null(strstr(err.text, "is no address range"));
	}
}

static void other_families_are_never_permitted(void **state)
{
	struct sockaddr_un unix_address = { .sun_family = AF_UNIX, .sun_path = "/run/x" };
	struct mx_cidr_set *allow = set_of("0.0.0.0/0");
	struct sockaddr none = { .sa_family = AF_UNSPEC };

	(void)state;
	assert_false(mx_address_permitted((struct sockaddr *)&unix_address, allow, NULL));
	assert_false(mx_address_permitted(&none, allow, NULL));
	mx_cidr_set_free(allow);
}

static void no_set_holds_nothing(void **state)
{
	struct net_address address;

	(void)state;
	assert_true(net_address_parse("10.0.0.1", &address));
	assert_false(mx_cidr_set_has(NULL, &address.any));
	mx_cidr_set_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(special_ranges_are_refused_and_their_neighbours_are_not),
		cmocka_unit_test(an_allowed_range_opens_only_itself),
		cmocka_unit_test(deny_is_stronger_than_allow),
		cmocka_unit_test(a_denied_public_range_is_refused),
		cmocka_unit_test(ipv4_ranges_match_every_ipv6_form),
		cmocka_unit_test(an_ambiguous_form_is_allowed_only_in_all_its_readings),
		cmocka_unit_test(prefix_lengths_cut_inside_a_byte),
		cmocka_unit_test(bits_behind_the_prefix_do_not_count),
		cmocka_unit_test(a_mapped_range_is_an_ipv4_range),
		cmocka_unit_test(what_is_no_range_is_named),
		cmocka_unit_test(other_families_are_never_permitted),
		cmocka_unit_test(no_set_holds_nothing),
	};
	return cmocka_run_group_tests_name("net/cidr", tests, NULL, NULL);
}
