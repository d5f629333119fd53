#include "shared/net/slots.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define CLAIMS 8

struct fixture {
	struct net_slots slots;
	struct net_slot claims[CLAIMS];
	size_t order[CLAIMS], started; /* who was started, in which order */
};

static struct fixture *fixture;

static void start(struct net_slot *slot)
{
	fixture->order[fixture->started++] = (size_t)(slot - fixture->claims);
}

static struct net_address address_of(const char *text)
{
	struct net_address address;

	assert_true(net_address_parse(text, &address));
	return address;
}

static void begin(struct fixture *f, unsigned total_max, unsigned per_address_max)
{
	*f = (struct fixture){ 0 };
	fixture = f;
	for (size_t i = 0; i < CLAIMS; i++)
		f->claims[i].start = start;
	net_slots_init(&f->slots, total_max, per_address_max);
}

static void ask(struct fixture *f, size_t claim, const char *text)
{
	struct net_address address = address_of(text);

	net_slots_ask(&f->slots, &f->claims[claim], &address);
}

static bool extend(struct fixture *f, size_t claim, const char *text)
{
	struct net_address address = address_of(text);

	return net_slots_extend(&f->slots, &f->claims[claim], &address);
}

/* Everything has been given back. */
static void end(struct fixture *f)
{
	for (size_t i = 0; i < CLAIMS; i++)
		net_slots_release(&f->slots, &f->claims[i]);
	assert_int_equal(f->slots.total, 0);
	assert_int_equal(f->slots.waiting, 0);
	assert_int_equal(f->slots.peers.len, 0);
	net_slots_done(&f->slots);
}

static void assert_started(const struct fixture *f, size_t len, size_t last)
{
	assert_int_equal(f->started, len);
	assert_int_equal(f->order[len - 1], last);
}

static void an_address_has_its_own_limit(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, 100, 2);
	for (size_t i = 0; i < 4; i++)
		ask(&f, i, "192.0.2.1");
	assert_started(&f, 2, 1);
	ask(&f, 4, "192.0.2.2");
	assert_started(&f, 3, 4);
	assert_int_equal(f.slots.waiting, 2);
	end(&f);
}

static void those_who_wait_come_in_their_order(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, 100, 1);
	for (size_t i = 0; i < 4; i++)
		ask(&f, i, "192.0.2.1");
	for (size_t i = 0; i < 3; i++) {
		net_slots_release(&f.slots, &f.claims[i]);
		assert_started(&f, i + 2, i + 1);
	}
	end(&f);
}

static void all_together_have_a_limit(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, 2, 2);
	ask(&f, 0, "192.0.2.1");
	ask(&f, 1, "192.0.2.2");
	ask(&f, 2, "192.0.2.3");
	ask(&f, 3, "192.0.2.4");
	assert_started(&f, 2, 1);
	net_slots_release(&f.slots, &f.claims[1]);
	assert_started(&f, 3, 2);
	end(&f);
}

static void the_crowd_of_one_address_holds_up_nobody_else(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, 3, 1);
	for (size_t i = 0; i < 5; i++)
		ask(&f, i, "192.0.2.1");
	ask(&f, 5, "192.0.2.2");
	assert_started(&f, 2, 5);
	end(&f);
}

static void who_gives_up_waiting_leaves_the_queue(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, 1, 1);
	ask(&f, 0, "192.0.2.1");
	ask(&f, 1, "192.0.2.1"); /* waits for the address */
	ask(&f, 2, "192.0.2.2"); /* waits for the total */
	ask(&f, 3, "192.0.2.1");
	net_slots_release(&f.slots, &f.claims[1]);
	net_slots_release(&f.slots, &f.claims[2]);
	net_slots_release(&f.slots, &f.claims[2]);
	assert_int_equal(f.slots.waiting, 1);
	net_slots_release(&f.slots, &f.claims[0]);
	assert_started(&f, 2, 3);
	end(&f);
}

static void a_transfer_may_take_more_addresses_within_their_limits(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, 100, 1);
	ask(&f, 0, "192.0.2.1");
	ask(&f, 1, "192.0.2.2");
	assert_true(extend(&f, 0, "192.0.2.1")); /* has it already */
	assert_false(extend(&f, 0, "192.0.2.2"));
	assert_true(extend(&f, 0, "2001:db8::1"));
	ask(&f, 2, "2001:db8::1");
	assert_int_equal(f.started, 2);
	net_slots_release(&f.slots, &f.claims[0]);
	assert_started(&f, 3, 2);
	end(&f);
}

static void a_transfer_takes_a_bounded_number_of_addresses(void **state)
{
	char text[NET_ADDRESS_TEXT_MAX];
	struct fixture f;

	(void)state;
	begin(&f, 100, 1);
	ask(&f, 0, "192.0.2.1");
	for (int i = 2; i <= NET_SLOT_ADDRESSES_MAX + 3; i++) {
		snprintf(text, sizeof(text), "192.0.2.%d", i);
		assert_int_equal(extend(&f, 0, text), i <= NET_SLOT_ADDRESSES_MAX);
	}
	end(&f);
}

static void ports_of_one_address_share_its_limit(void **state)
{
	struct net_address a = address_of("192.0.2.1"), b = a;
	struct fixture f;

	(void)state;
	begin(&f, 100, 1);
	b.v4.sin_port = 99;
	net_slots_ask(&f.slots, &f.claims[0], &a);
	net_slots_ask(&f.slots, &f.claims[1], &b);
	assert_int_equal(f.started, 1);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_has_its_own_limit),
		cmocka_unit_test(those_who_wait_come_in_their_order),
		cmocka_unit_test(all_together_have_a_limit),
		cmocka_unit_test(the_crowd_of_one_address_holds_up_nobody_else),
		cmocka_unit_test(who_gives_up_waiting_leaves_the_queue),
		cmocka_unit_test(a_transfer_may_take_more_addresses_within_their_limits),
		cmocka_unit_test(a_transfer_takes_a_bounded_number_of_addresses),
		cmocka_unit_test(ports_of_one_address_share_its_limit),
	};
	return cmocka_run_group_tests_name("net/slots", tests, NULL, NULL);
}
