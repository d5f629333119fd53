#include "shared/net/srv.h"

#include "shared/core/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- messages, as RFC 1035 and RFC 2782 lay them out */

static void add_u16(struct mx_str *out, unsigned value)
{
	mx_str_add_char(out, (char)(value >> 8));
	mx_str_add_char(out, (char)value);
}

/* "a.b" or "" for the root. */
static void add_name(struct mx_str *out, const char *name)
{
	struct mx_slice rest = mx_slice(name), label;

	while (rest.len > 0 && mx_split_next(&rest, '.', &label)) {
		mx_str_add_char(out, (char)label.len);
		mx_str_add_slice(out, label);
	}
	mx_str_add_char(out, '\0');
}

static void message_begin(struct mx_str *out, unsigned answers)
{
	mx_str_add(out, "\x12\x34\x81\x80\0\1", 6);
	add_u16(out, answers);
	mx_str_add(out, "\0\0\0\0", 4);
	add_name(out, "_matrix-fed._tcp.a.test");
	mx_str_add(out, "\0\x21\0\1", 4);
}

/* A record of the name asked for. */
static void add_record(struct mx_str *out, unsigned type, unsigned ttl, struct mx_slice data)
{
	mx_str_add(out, "\xc0\x0c", 2);
	add_u16(out, type);
	add_u16(out, 1);
	add_u16(out, ttl >> 16);
	add_u16(out, ttl & 0xffff);
	add_u16(out, (unsigned)data.len);
	mx_str_add_slice(out, data);
}

static void add_srv(struct mx_str *out, struct net_srv srv, unsigned ttl)
{
	mx_str_auto data = { 0 };

	add_u16(&data, srv.priority);
	add_u16(&data, srv.weight);
	add_u16(&data, srv.port);
	add_name(&data, srv.target);
	add_record(out, 33, ttl, mx_str_slice(&data));
}

struct parsed {
	bool valid;
	struct net_srv srvs[NET_SRV_MAX];
	size_t len;
	uint32_t ttl;
};

static struct parsed parse(const struct mx_str *message)
{
	struct parsed parsed;

	parsed.valid = net_srv_parse(mx_str_slice(message), parsed.srvs, &parsed.len, &parsed.ttl);
	return parsed;
}

static void records_are_read_with_the_smallest_lifetime(void **state)
{
	mx_str_auto message = { 0 };
	struct parsed parsed;

	(void)state;
	message_begin(&message, 2);
	add_srv(&message, (struct net_srv){ 10, 20, 8448, "one.test" }, 300);
	add_srv(&message, (struct net_srv){ 0, 65535, 65535, "two.test" }, 60);
	parsed = parse(&message);
	assert_true(parsed.valid);
	assert_int_equal(parsed.len, 2);
	assert_int_equal(parsed.ttl, 60);
	assert_int_equal(parsed.srvs[0].priority, 10);
	assert_int_equal(parsed.srvs[0].weight, 20);
	assert_int_equal(parsed.srvs[0].port, 8448);
	assert_string_equal(parsed.srvs[0].target, "one.test");
	assert_int_equal(parsed.srvs[1].port, 65535);
	assert_string_equal(parsed.srvs[1].target, "two.test");
}

static void the_root_as_a_target_is_kept(void **state)
{
	mx_str_auto message = { 0 };
	struct parsed parsed;

	(void)state;
	message_begin(&message, 1);
	add_srv(&message, (struct net_srv){ .target = "" }, 1);
	parsed = parse(&message);
	assert_true(parsed.valid);
	assert_int_equal(parsed.len, 1);
	assert_string_equal(parsed.srvs[0].target, "");
}

static void records_of_other_types_are_stepped_over(void **state)
{
	mx_str_auto message = { 0 };
	struct parsed parsed;

	(void)state;
	message_begin(&message, 2);
	add_record(&message, 5, 1, MX_SLICE("\1b\4test"));
	add_srv(&message, (struct net_srv){ 1, 1, 1, "one.test" }, 7);
	parsed = parse(&message);
	assert_true(parsed.valid);
	assert_int_equal(parsed.len, 1);
	assert_int_equal(parsed.ttl, 7);
}

static void no_more_than_the_first_are_looked_at(void **state)
{
	mx_str_auto message = { 0 };
	struct parsed parsed;

	(void)state;
	message_begin(&message, 100);
	for (unsigned i = 0; i < 100; i++)
		add_srv(&message, (struct net_srv){ .port = (uint16_t)i, .target = "n.test" }, 1);
	parsed = parse(&message);
	assert_true(parsed.valid);
	assert_int_equal(parsed.len, NET_SRV_MAX);
	assert_int_equal(parsed.srvs[NET_SRV_MAX - 1].port, NET_SRV_MAX - 1);
}

static void targets_that_are_no_host_names_are_left_out(void **state)
{
	static const char *const odd[] = {
		"a b.test", "a/b.test", "a@b", "a:b", "a\"b", "\xc3\xbc"
	};
	mx_str_auto message = { 0 };
	struct parsed parsed;

	(void)state;
	message_begin(&message, COUNT(odd) + 1);
	for (size_t i = 0; i < COUNT(odd); i++) {
		struct net_srv srv = { .port = 1 };

		memcpy(srv.target, odd[i], strlen(odd[i]));
		add_srv(&message, srv, 1);
	}
	add_srv(&message, (struct net_srv){ 1, 1, 7, "n_1-x.test" }, 1);
	parsed = parse(&message);
	assert_true(parsed.valid);
	assert_int_equal(parsed.len, 1);
	assert_int_equal(parsed.srvs[0].port, 7);
}

/* Cut at every byte, a message is malformed. */
static void a_message_that_is_cut_off_is_malformed(void **state)
{
	mx_str_auto message = { 0 };
	struct net_srv srvs[NET_SRV_MAX];
	uint32_t ttl;
	size_t len;

	(void)state;
	message_begin(&message, 1);
	add_srv(&message, (struct net_srv){ 1, 2, 3, "one.test" }, 9);
	for (size_t cut = 0; cut < message.len; cut++)
		assert_false(net_srv_parse(mx_slice_of(message.ptr, cut), srvs, &len, &ttl));
	assert_true(net_srv_parse(mx_str_slice(&message), srvs, &len, &ttl));
}

static void malformed_data_is_refused(void **state)
{
	static const struct mx_slice data[] = {
		{ "", 0 },
		{ "\0\1\0\1\0", 5 },
		{ "\0\1\0\1\0\1", 6 }, /* no target */
		{ "\0\1\0\1\0\1\1a", 8 }, /* it does not end */
		{ "\0\1\0\1\0\1\1a\0x", 10 }, /* something behind it */
		{ "\0\1\0\1\0\1\xff\xff", 8 }, /* a pointer to nowhere */
		{ "\0\1\0\1\0\1\xc0\x3b", 8 }, /* to itself */
		{ "\0\1\0\1\0\1\x80\0", 8 }, /* no such kind of label */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(data); i++) {
		mx_str_auto message = { 0 };

		message_begin(&message, 1);
		add_record(&message, 33, 1, data[i]);
		if (parse(&message).valid)
			fail_msg("%zu is accepted", i);
	}
}

static void a_count_that_lies_is_refused(void **state)
{
	mx_str_auto message = { 0 };

	(void)state;
	message_begin(&message, 65535);
	add_srv(&message, (struct net_srv){ 1, 2, 3, "one.test" }, 9);
	assert_false(parse(&message).valid);
}

/* ---- order */

/* Answers with the numbers it was given, each at most bound - 1, and keeps the bounds. */
struct script {
	uint32_t numbers[NET_SRV_MAX], bounds[NET_SRV_MAX];
	size_t at;
};

static uint32_t scripted(void *ctx, uint32_t bound)
{
	struct script *script = ctx;
	uint32_t number = script->numbers[script->at];

	script->bounds[script->at++] = bound;
	assert_true(number < bound);
	return number;
}

static void assert_ports(const struct net_srv *srvs, const uint16_t *ports, size_t len)
{
	for (size_t i = 0; i < len; i++)
		assert_int_equal(srvs[i].port, ports[i]);
}

static void lower_priorities_come_first(void **state)
{
	struct net_srv srvs[] = { { 20, 9, 1 }, { 0, 0, 2 }, { 65535, 1, 3 }, { 10, 0, 4 } };
	static const uint16_t expected[] = { 2, 4, 1, 3 };
	struct script script = { 0 };

	(void)state;
	net_srv_order(srvs, COUNT(srvs), scripted, &script);
	assert_ports(srvs, expected, COUNT(srvs));
	assert_int_equal(script.at, 0); /* nothing was left to chance */
}

/* RFC 2782: a number up to the sum of the weights; the first whose running sum reaches it. */
static void weights_decide_within_a_priority(void **state)
{
	struct net_srv srvs[] = { { 1, 10, 1 }, { 1, 30, 2 }, { 1, 60, 3 } };
	struct script script = { .numbers = { 100, 10 } };

	(void)state;
	net_srv_order(srvs, COUNT(srvs), scripted, &script);
	assert_int_equal(script.bounds[0], 101);
	assert_int_equal(srvs[0].port, 3);
	assert_int_equal(script.bounds[1], 41);
	assert_int_equal(script.at, 2);
}

static void a_weight_of_zero_has_a_small_chance(void **state)
{
	struct net_srv lucky[] = { { 1, 50, 1 }, { 1, 0, 2 } },
		       usual[] = { { 1, 50, 1 }, { 1, 0, 2 } };
	struct script zero = { .numbers = { 0 } }, one = { .numbers = { 1 } };

	(void)state;
	net_srv_order(lucky, 2, scripted, &zero);
	assert_int_equal(lucky[0].port, 2);
	net_srv_order(usual, 2, scripted, &one);
	assert_int_equal(usual[0].port, 1);
}

static void the_largest_weights_do_not_overflow(void **state)
{
	struct net_srv srvs[NET_SRV_MAX];
	struct script script = { .numbers = { UINT32_C(65535) * NET_SRV_MAX } };

	(void)state;
	for (size_t i = 0; i < NET_SRV_MAX; i++)
		srvs[i] = (struct net_srv){ 1, 65535, (uint16_t)i };
	net_srv_order(srvs, NET_SRV_MAX, scripted, &script);
	assert_int_equal(script.bounds[0], UINT32_C(65535) * NET_SRV_MAX + 1);
}

static void nothing_to_order_is_fine(void **state)
{
	struct script script = { 0 };
	struct net_srv one = { 1, 1, 1 };

	(void)state;
	net_srv_order(&one, 0, scripted, &script);
	net_srv_order(&one, 1, scripted, &script);
	assert_int_equal(script.at, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_are_read_with_the_smallest_lifetime),
		cmocka_unit_test(the_root_as_a_target_is_kept),
		cmocka_unit_test(records_of_other_types_are_stepped_over),
		cmocka_unit_test(no_more_than_the_first_are_looked_at),
		cmocka_unit_test(targets_that_are_no_host_names_are_left_out),
		cmocka_unit_test(a_message_that_is_cut_off_is_malformed),
		cmocka_unit_test(malformed_data_is_refused),
		cmocka_unit_test(a_count_that_lies_is_refused),
		cmocka_unit_test(lower_priorities_come_first),
		cmocka_unit_test(weights_decide_within_a_priority),
		cmocka_unit_test(a_weight_of_zero_has_a_small_chance),
		cmocka_unit_test(the_largest_weights_do_not_overflow),
		cmocka_unit_test(nothing_to_order_is_fine),
	};
	return cmocka_run_group_tests_name("net/srv", tests, NULL, NULL);
}
