#include "tests/contract/daemons.h"

#include "shared/core/str.h"
#include "shared/http/route.h"
#include "shared/schema/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

struct lists {
	struct endpoint *endpoints, *missing, *later;
	size_t endpoints_len, missing_len, later_len;
};

static int load_lists(void **state)
{
	struct lists *lists = calloc(1, sizeof *lists);

	lists->endpoints = endpoints_load(TEST_DIR "/contract/endpoints.txt", false,
					  &lists->endpoints_len);
	lists->missing = endpoints_load(TEST_DIR "/contract/missing.txt", true,
					&lists->missing_len);
	lists->later = endpoints_load(TEST_DIR "/contract/later.txt", true, &lists->later_len);
	*state = lists;
	return 0;
}

static int free_lists(void **state)
{
	struct lists *lists = *state;

	free(lists->endpoints);
	free(lists->missing);
	free(lists->later);
	free(lists);
	return 0;
}

static bool is_or_any(const char *wanted, const char *value)
{
	return streq(wanted, "*") || streq(wanted, value);
}

static bool line_names(const struct endpoint *line, const struct endpoint *endpoint)
{
	return streq(line->api, endpoint->api) && is_or_any(line->method, endpoint->method) &&
	       is_or_any(line->path, endpoint->path) && endpoint_belongs_to(endpoint, line->daemon);
}

static bool is_listed(const struct lists *lists, const struct endpoint *endpoint)
{
	for (size_t i = 0; i < lists->missing_len; i++) {
		if (streq(lists->missing[i].daemon, contract_daemon.name) &&
		    line_names(&lists->missing[i], endpoint))
			return true;
	}
	return false;
}

static bool is_routed(const struct endpoint *endpoint)
{
	return contract_route(contract_daemon.routes, endpoint->method, endpoint->path);
}

static void every_operation_of_the_specification_is_known(void **state)
{
	const struct lists *lists = *state;

	assert_int_equal(lists->endpoints_len, 235);
}

static void every_endpoint_is_routed_or_listed_as_missing(void **state)
{
	const struct lists *lists = *state;

	for (size_t i = 0; i < lists->endpoints_len; i++) {
		const struct endpoint *e = &lists->endpoints[i];

		if (!endpoint_belongs_to(e, contract_daemon.name) || is_routed(e) ||
		    is_listed(lists, e))
			continue;
		fail_msg("%s %s is neither routed by the %s nor in missing.txt", e->method, e->path,
			 contract_daemon.name);
	}
}

static void every_line_of_missing_names_an_endpoint_without_a_route(void **state)
{
	const struct lists *lists = *state;

	for (size_t i = 0; i < lists->missing_len; i++) {
		const struct endpoint *line = &lists->missing[i];
		size_t without_route = 0;

		if (!streq(line->daemon, contract_daemon.name))
			continue;
		for (size_t k = 0; k < lists->endpoints_len; k++) {
			const struct endpoint *e = &lists->endpoints[k];

			without_route += line_names(line, e) && !is_routed(e);
		}
		if (without_route == 0)
			fail_msg("missing.txt: %s %s %s %s is out of date", line->daemon, line->api,
				 line->method, line->path);
	}
}

static bool is_later(const struct route *route)
{
	for (const struct route *row = contract_daemon.later; row && row->path; row++)
		if (row == route)
			return true;
	return false;
}

static bool is_listed_as_later(const struct lists *lists, const struct endpoint *endpoint)
{
	for (size_t i = 0; i < lists->later_len; i++)
		if (streq(lists->later[i].daemon, contract_daemon.name) &&
		    line_names(&lists->later[i], endpoint))
			return true;
	return false;
}

static void what_is_answered_as_by_a_server_without_it_is_listed_by_name(void **state)
{
	const struct lists *lists = *state;

	for (size_t i = 0; i < lists->endpoints_len; i++) {
		const struct endpoint *e = &lists->endpoints[i];
		const struct route *route = contract_route(contract_daemon.routes, e->method,
							   e->path);

		if (endpoint_belongs_to(e, contract_daemon.name) &&
		    is_later(route) != is_listed_as_later(lists, e))
			fail_msg("later.txt and the table of the %s do not agree on %s %s",
				 contract_daemon.name, e->method, e->path);
	}
}

static void check_schema_is_there(const struct route *route, const char *name)
{
	if (name && !mx_schema_find(name))
		fail_msg("%s: there is no schema %s", route->path, name);
}

static void check_route(const struct route *route)
{
	bool has_body = route->method == POST || route->method == PUT;

	check_schema_is_there(route, route->body);
	check_schema_is_there(route, route->reply);
	if (strncmp(route->path, "/_matrix/", 9) != 0)
		return;
	if (!route->reply)
		fail_msg("%s has no schema for its reply", route->path);
	if (has_body && !route->body && !(route->flags & ROUTE_RAW_BODY))
		fail_msg("%s has no schema for its request", route->path);
}

static void check_tables(const struct route *const *table)
{
	for (; *table; table++) {
		for (const struct route *route = *table; route->path; route++)
			check_route(route);
	}
}

static void every_route_has_its_schemas(void **state)
{
	(void)state;
	check_tables(contract_daemon.routes);
	check_tables(contract_daemon.admin_routes);
}

static void every_schema_compiles(void **state)
{
	const char *name;

	(void)state;
	for (unsigned i = 0; (name = mx_schema_name(i)); i++) {
		if (!mx_schema_find(name))
			fail_msg("schemas/%s.json is not right", name);
	}
}

static const struct route some_routes[] = {
	{ GET, "/_matrix/key/v2/query/{serverName:server_name}", NULL, .flags = ROUTE_SLASH },
	{ GET, "/_matrix/key/v2/server", NULL },
	{ POST, "/_matrix/key/v2/query", NULL },
	{ 0 },
};
static const struct route *const some_tables[] = { some_routes, NULL };

static void a_route_is_found_by_the_specifications_path(void **state)
{
	(void)state;
	assert_ptr_equal(contract_route(some_tables, "GET", "/_matrix/key/v2/query/{name}"),
			 &some_routes[0]);
	assert_ptr_equal(contract_route(some_tables, "POST", "/_matrix/key/v2/query"),
			 &some_routes[2]);
	assert_null(contract_route(some_tables, "GET", "/_matrix/key/v2/query"));
	assert_null(contract_route(some_tables, "GET", "/_matrix/key/v2/query/literal"));
	assert_null(contract_route(some_tables, "GET", "/_matrix/key/v2/{any}"));
	assert_null(contract_route(some_tables, "GET", "/_matrix/key/v2/server/{keyId}"));
}

static void a_route_is_found_by_a_requests_target(void **state)
{
	(void)state;
	assert_ptr_equal(contract_route_of_target(some_tables, "GET",
						  "/_matrix/key/v2/query/a.example/?x=/"),
			 &some_routes[0]);
	assert_ptr_equal(contract_route_of_target(some_tables, "HEAD", "/_matrix/key/v2/server"),
			 &some_routes[1]);
	assert_null(contract_route_of_target(some_tables, "GET", "/_matrix/key/v2/server/"));
	assert_null(contract_route_of_target(some_tables, "GET", "/_matrix/key/v2/query/"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_operation_of_the_specification_is_known),
		cmocka_unit_test(every_endpoint_is_routed_or_listed_as_missing),
		cmocka_unit_test(every_line_of_missing_names_an_endpoint_without_a_route),
		cmocka_unit_test(what_is_answered_as_by_a_server_without_it_is_listed_by_name),
		cmocka_unit_test(every_route_has_its_schemas),
		cmocka_unit_test(every_schema_compiles),
		cmocka_unit_test(a_route_is_found_by_the_specifications_path),
		cmocka_unit_test(a_route_is_found_by_a_requests_target),
	};

	return cmocka_run_group_tests_name("contract/routes", tests, load_lists, free_lists);
}
