/* wrap: net_dns_ask net_wellknown_ask */
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/net/plan.h"
#include "shared/net/state.h"
#include "shared/net/wellknown.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- what the world answers; nobody is contacted */

#define ROWS 8

/* What DNS has for a name. */
struct row {
	const char *name;
	const char *addresses[4];
	struct net_srv srvs[6];
	bool fails, late;
};

struct world {
	const char *delegates; /* NULL: no well-known */
	bool wellknown_late;
	struct row rows[ROWS];
};

static struct world world;
static int wellknown_asked;
static char asked[1024]; /* DNS questions, "S:name A:name " */

const struct net_delegation *__wrap_net_wellknown_ask(struct net_wellknown *wellknown,
						      const char *host, struct net_wait *wait,
						      struct net_task *task);
const struct net_dns_answer *__wrap_net_dns_ask(struct net_dns *dns, enum net_dns_kind kind,
						const char *name, struct net_wait *wait,
						struct net_task *task);

const struct net_delegation *__wrap_net_wellknown_ask(struct net_wellknown *wellknown,
						      const char *host, struct net_wait *wait,
						      struct net_task *task)
{
	static struct net_delegation delegation;

	(void)wellknown, (void)host, (void)wait, (void)task;
	wellknown_asked++;
	delegation.server = (char *)(uintptr_t)world.delegates;
	delegation.reason = (char *)(uintptr_t) "HTTP status 404";
	return world.wellknown_late ? NULL : &delegation;
}

static const struct row *row_of(const char *name)
{
	for (size_t i = 0; i < ROWS; i++)
		if (streq(world.rows[i].name, name))
			return &world.rows[i];
	return NULL;
}

static void fill(struct net_dns_answer *answer, enum net_dns_kind kind, const struct row *row)
{
	static struct net_address addresses[NET_DNS_ADDRESSES_MAX];
	static struct net_srv srvs[NET_SRV_MAX];

	if (kind == NET_DNS_SRV) {
		for (; row->srvs[answer->len].port; answer->len++)
			srvs[answer->len] = row->srvs[answer->len];
		answer->srvs = srvs;
	} else {
		for (; row->addresses[answer->len]; answer->len++)
			assert_true(net_address_parse(row->addresses[answer->len],
						      &addresses[answer->len]));
		answer->addresses = addresses;
	}
	if (answer->len > 0)
		answer->status = NET_DNS_FOUND;
}

const struct net_dns_answer *__wrap_net_dns_ask(struct net_dns *dns, enum net_dns_kind kind,
						const char *name, struct net_wait *wait,
						struct net_task *task)
{
	static struct net_dns_answer answer;
	const struct row *row = row_of(name);
	size_t len = strlen(asked);

	(void)dns, (void)wait, (void)task;
	snprintf(asked + len, sizeof(asked) - len, "%c:%s ", kind == NET_DNS_SRV ? 'S' : 'A', name);
	answer = (struct net_dns_answer){ .status = NET_DNS_NONE, .reason = "No such name" };
	if (row && row->late)
		return NULL;
	if (row && row->fails)
		answer.status = NET_DNS_FAILED;
	else if (row)
		fill(&answer, kind, row);
	return &answer;
}

static struct net net;
static struct net_plan plan;

static int discover(const char *server)
{
	struct net_search search = { .net = &net, .seed = 1 };

	asked[0] = '\0';
	wellknown_asked = 0;
	return net_discover(&search, server, &plan, NULL);
}

static void assert_plan(const char *host, const char *header, uint16_t port, const char *address)
{
	char text[NET_ADDRESS_TEXT_MAX];

	assert_string_equal(plan.host, host);
	assert_string_equal(plan.host_header, header);
	assert_true(plan.len > 0);
	assert_int_equal(plan.places[0].port, port);
	net_address_format(&plan.places[0].addresses[0], text);
	assert_string_equal(text, address);
}

/* Every branch of "Resolving server names", numbered as there. */
static const struct step {
	const char *about, *server;
	struct world world;
	int rc;
	const char *host, *header;
	uint16_t port;
	const char *address, *asked;
} steps[] = {
	{ "1: an address", "8.8.4.4", { 0 }, 0, "8.8.4.4", "8.8.4.4", 8448, "8.8.4.4", "" },
	{ "1: with a low port", "[2600::1]:99", { .delegates = "b.test" }, -MX_ADDRESS_REFUSED },
	{ "1: IPv6", "[2600::1]:9999", { 0 }, 0, "2600::1", "[2600::1]:9999", 9999, "2600::1", "" },
	{ "2: a port",
	  "a.test:443",
	  { .delegates = "b.test", .rows = { { "a.test", { "8.8.8.8" } } } },
	  0,
	  "a.test",
	  "a.test:443",
	  443,
	  "8.8.8.8",
	  "A:a.test " },
	{ "3.1: delegation to an address",
	  "a.test",
	  { .delegates = "8.8.4.4" },
	  0,
	  "8.8.4.4",
	  "8.8.4.4",
	  8448,
	  "8.8.4.4",
	  "" },
	{ "3.2: to a name with a port",
	  "a.test",
	  { .delegates = "b.test:443", .rows = { { "b.test", { "8.8.8.8" } } } },
	  0,
	  "b.test",
	  "b.test:443",
	  443,
	  "8.8.8.8",
	  "A:b.test " },
	{ "3.3: to a name with an SRV record",
	  "a.test",
	  { .delegates = "b.test",
	    .rows = { { "_matrix-fed._tcp.b.test", { 0 }, { { 1, 1, 7777, "n.test" } } },
		      { "n.test", { "8.8.8.8" } } } },
	  0,
	  "b.test",
	  "b.test",
	  7777,
	  "8.8.8.8",
	  "S:_matrix-fed._tcp.b.test A:n.test " },
	{ "3.4: with a deprecated one",
	  "a.test",
	  { .delegates = "b.test",
	    .rows = { { "_matrix._tcp.b.test", { 0 }, { { 1, 1, 7777, "n.test" } } },
		      { "n.test", { "8.8.8.8" } } } },
	  0,
	  "b.test",
	  "b.test",
	  7777,
	  "8.8.8.8",
	  "S:_matrix-fed._tcp.b.test S:_matrix._tcp.b.test A:n.test " },
	{ "3.5: without",
	  "a.test",
	  { .delegates = "b.test", .rows = { { "b.test", { "8.8.8.8" } } } },
	  0,
	  "b.test",
	  "b.test",
	  8448,
	  "8.8.8.8",
	  "S:_matrix-fed._tcp.b.test S:_matrix._tcp.b.test A:b.test " },
	{ "4: an SRV record of the name itself",
	  "a.test",
	  { .rows = { { "_matrix-fed._tcp.a.test", { 0 }, { { 1, 1, 443, "n.test" } } },
		      { "n.test", { "2600::7" } } } },
	  0,
	  "a.test",
	  "a.test",
	  443,
	  "2600::7",
	  "S:_matrix-fed._tcp.a.test A:n.test " },
	{ "5: a deprecated one",
	  "a.test",
	  { .rows = { { "_matrix._tcp.a.test", { 0 }, { { 1, 1, 443, "n.test" } } },
		      { "n.test", { "8.8.8.8" } } } },
	  0,
	  "a.test",
	  "a.test",
	  443,
	  "8.8.8.8",
	  "S:_matrix-fed._tcp.a.test S:_matrix._tcp.a.test A:n.test " },
	{ "6: nothing but the name",
	  "A.test",
	  { .rows = { { "A.test", { "8.8.8.8" } } } },
	  0,
	  "A.test",
	  "A.test",
	  8448,
	  "8.8.8.8",
	  "S:_matrix-fed._tcp.A.test S:_matrix._tcp.A.test A:A.test " },
	{ "nothing at all", "a.test", { 0 }, -MX_REMOTE_FAILED },
	{ "a service that is decidedly not there",
	  "a.test",
	  { .rows = { { "_matrix-fed._tcp.a.test", { 0 }, { { 0, 0, 1, "" } } },
		      { "a.test", { "8.8.8.8" } } } },
	  -MX_REMOTE_FAILED },
	{ "targets that do not resolve",
	  "a.test",
	  { .rows = { { "_matrix-fed._tcp.a.test", { 0 }, { { 1, 1, 443, "n.test" } } },
		      { "a.test", { "8.8.8.8" } } } },
	  -MX_REMOTE_FAILED },
	{ "a private address", "10.0.0.1", { 0 }, -MX_ADDRESS_REFUSED },
	{ "a name of one",
	  "a.test:8448",
	  { .rows = { { "a.test", { "10.0.0.1", "::1" } } } },
	  -MX_ADDRESS_REFUSED },
	{ "delegation to one", "a.test", { .delegates = "[fd00::1]" }, -MX_ADDRESS_REFUSED },
	{ "an SRV target of one",
	  "a.test",
	  { .rows = { { "_matrix-fed._tcp.a.test", { 0 }, { { 1, 1, 443, "n.test" } } },
		      { "n.test", { "169.254.169.254" } } } },
	  -MX_ADDRESS_REFUSED },
	{ "the permitted one of several",
	  "a.test:8448",
	  { .rows = { { "a.test", { "10.0.0.1", "8.8.8.8", "::1" } } } },
	  0,
	  "a.test",
	  "a.test:8448",
	  8448,
	  "8.8.8.8",
	  "A:a.test " },
	{ "a low port",
	  "a.test:22",
	  { .rows = { { "a.test", { "8.8.8.8" } } } },
	  -MX_ADDRESS_REFUSED },
	{ "delegation to one", "a.test", { .delegates = "8.8.8.8:25" }, -MX_ADDRESS_REFUSED },
	{ "an SRV record of one",
	  "a.test",
	  { .rows = { { "_matrix-fed._tcp.a.test", { 0 }, { { 1, 1, 25, "n.test" } } },
		      { "n.test", { "8.8.8.8" } } } },
	  -MX_ADDRESS_REFUSED },
	{ "no name", "a/b", { .delegates = "b.test" }, -MX_INVALID_PARAM },
	{ "nothing", "", { .delegates = "b.test" }, -MX_INVALID_PARAM },
	{ "well-known is under way", "a.test", { .wellknown_late = true }, NET_PENDING },
	{ "SRV is",
	  "a.test",
	  { .rows = { { "_matrix._tcp.a.test", .late = true } } },
	  NET_PENDING },
	{ "the address is",
	  "a.test:8448",
	  { .rows = { { "a.test", .late = true } } },
	  NET_PENDING },
	{ "DNS fails for SRV",
	  "a.test",
	  { .rows = { { "_matrix-fed._tcp.a.test", .fails = true }, { "a.test", { "8.8.8.8" } } } },
	  0,
	  "a.test",
	  "a.test",
	  8448,
	  "8.8.8.8",
	  "S:_matrix-fed._tcp.a.test S:_matrix._tcp.a.test A:a.test " },
};

static void names_are_resolved_step_by_step(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(steps); i++) {
		const struct step *s = &steps[i];
		int rc;

		world = s->world;
		rc = discover(s->server);
		if (rc != s->rc)
			fail_msg("%s: %d", s->about, rc);
		if (rc)
			continue;
		assert_plan(s->host, s->header, s->port, s->address);
		assert_string_equal(asked, s->asked);
	}
}

static void no_name_and_no_refused_port_causes_a_question(void **state)
{
	static const char *const names[] = { "a/b", "..", "a.test:0", "a.test:22", "8.8.8.8:80" };

	(void)state;
	world = (struct world){ .delegates = "b.test", .rows = { { "a.test", { "8.8.8.8" } } } };
	for (size_t i = 0; i < COUNT(names); i++) {
		assert_int_not_equal(discover(names[i]), 0);
		assert_string_equal(asked, "");
		assert_int_equal(wellknown_asked, 0);
	}
}

/* Who has nothing to do with the delegation is not asked for another one. */
static void well_known_is_asked_once(void **state)
{
	(void)state;
	world = (struct world){ .delegates = "b.test", .rows = { { "b.test", { "8.8.8.8" } } } };
	assert_int_equal(discover("a.test"), 0);
	assert_int_equal(wellknown_asked, 1);
}

static void targets_are_tried_by_priority_up_to_a_limit(void **state)
{
	static const uint16_t expected[] = { 1001, 1002, 1004 };

	(void)state;
	world = (struct world){ .rows = { { "_matrix-fed._tcp.a.test",
					    { 0 },
					    { { 5, 0, 1005, "n.test" },
					      { 4, 0, 1004, "n.test" },
					      { 3, 0, 1003, "gone.test" },
					      { 2, 0, 1002, "n.test" },
					      { 1, 0, 1001, "n.test" } } },
					  { "n.test", { "8.8.8.8" } } } };
	for (size_t i = 0; i < 5; i++)
		world.rows[0].srvs[i].port += 7000;
	assert_int_equal(discover("a.test"), 0);
	assert_int_equal(plan.len, COUNT(expected)); /* the fifth is not looked at */
	for (size_t i = 0; i < COUNT(expected); i++)
		assert_int_equal(plan.places[i].port, 7000 + expected[i]);
}

static void a_late_target_is_waited_for(void **state)
{
	(void)state;
	world = (struct world){ .rows = {
					{ "_matrix-fed._tcp.a.test",
					  { 0 },
					  { { 1, 0, 8001, "n.test" }, { 2, 0, 8002, "m.test" } } },
					{ "n.test", .late = true },
					{ "m.test", { "8.8.8.8" } } } };
	assert_int_equal(discover("a.test"), NET_PENDING);
	world.rows[1].late = false;
	assert_int_equal(discover("a.test"), 0);
	assert_int_equal(plan.len, 1);
	assert_int_equal(plan.places[0].port, 8002);
}

static void a_search_draws_the_same_lot_in_every_run(void **state)
{
	uint16_t first;
	unsigned others = 0;

	(void)state;
	world = (struct world){ .rows = {
					{ "_matrix-fed._tcp.a.test",
					  { 0 },
					  { { 1, 5, 8001, "n.test" }, { 1, 5, 8002, "n.test" } } },
					{ "n.test", { "8.8.8.8" } } } };
	for (uint32_t seed = 1; seed < 100; seed++) {
		struct net_search search = { .net = &net, .seed = seed * 2654435761u };

		assert_int_equal(net_discover(&search, "a.test", &plan, NULL), 0);
		first = plan.places[0].port;
		assert_int_equal(net_discover(&search, "a.test", &plan, NULL), 0);
		assert_int_equal(plan.places[0].port, first);
		others += first == 8002;
	}
	assert_in_range(others, 20, 80);
}

static void low_ports_may_be_opened(void **state)
{
	static uint16_t open[] = { 80, 1023, 0 };

	(void)state;
	assert_true(net_port_permitted(&net, 443) && net_port_permitted(&net, 1024));
	assert_false(net_port_permitted(&net, 80) || net_port_permitted(&net, 1023));
	net.low_ports = open;
	assert_true(net_port_permitted(&net, 80) && net_port_permitted(&net, 1023));
	assert_false(net_port_permitted(&net, 81));
	net.low_ports = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_resolved_step_by_step),
		cmocka_unit_test(no_name_and_no_refused_port_causes_a_question),
		cmocka_unit_test(well_known_is_asked_once),
		cmocka_unit_test(targets_are_tried_by_priority_up_to_a_limit),
		cmocka_unit_test(a_late_target_is_waited_for),
		cmocka_unit_test(a_search_draws_the_same_lot_in_every_run),
		cmocka_unit_test(low_ports_may_be_opened),
	};
	return cmocka_run_group_tests_name("net/discover", tests, NULL, NULL);
}
