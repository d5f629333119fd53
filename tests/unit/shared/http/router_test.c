#include "shared/http/router.h"

#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/http/target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct route first[] = {
	{ GET, "/" },
	{ GET, "/profile/{user}/avatar_url" },
	{ PUT, "/profile/{user}/{key}" },
	{ GET, "/slash", .flags = ROUTE_SLASH },
	{ GET, "/only/" },
	{ 0 },
};

static const struct route second[] = {
	{ POST, "/profile/{user}/avatar_url" },
	{ GET, "/key/{server:server_name}" },
	{ 0 },
};

static struct router *router;

static int set_up(void **state)
{
	const struct route *const tables[] = { first, second, NULL };

	*state = mx_arena_new(0);
	return router_new(tables, NULL, &router, NULL);
}

static int tear_down(void **state)
{
	router_free(router);
	mx_arena_free(*state);
	return 0;
}

static const struct route_entry *find(void **state, enum http_method method, const char *path,
				      unsigned *ret_allowed)
{
	const struct target_line line = { .raw = mx_slice(path) };
	struct target target;

	assert_int_equal(target_parse(&line, *state, &target, NULL), 0);
	return router_find(router, method, &target, ret_allowed);
}

static void literals_win_over_parameters_but_hide_no_method(void **state)
{
	unsigned allowed;

	assert_ptr_equal(find(state, GET, "/profile/u/avatar_url", &allowed)->route, &first[1]);
	assert_ptr_equal(find(state, PUT, "/profile/u/avatar_url", &allowed)->route, &first[2]);
	assert_ptr_equal(find(state, POST, "/profile/u/avatar_url", &allowed)->route, &second[0]);
	assert_ptr_equal(find(state, PUT, "/profile/u/other", &allowed)->route, &first[2]);
}

static void another_method_is_told_from_no_path(void **state)
{
	unsigned allowed;

	assert_null(find(state, DELETE, "/profile/u/avatar_url", &allowed));
	assert_int_equal(allowed, 1u << GET | 1u << PUT | 1u << POST);
	assert_null(find(state, GET, "/profile/u", &allowed));
	assert_int_equal(allowed, 0);
	assert_null(find(state, GET, "/profile/u/avatar_url/x", &allowed));
	assert_int_equal(allowed, 0);
}

static void an_empty_segment_is_no_parameter(void **state)
{
	unsigned allowed;

	assert_null(find(state, PUT, "/profile//key", &allowed));
	assert_null(find(state, PUT, "/profile/u//", &allowed));
	assert_null(find(state, GET, "//", &allowed));
}

static void a_slash_at_the_end_counts_unless_the_row_says_otherwise(void **state)
{
	unsigned allowed;

	assert_ptr_equal(find(state, GET, "/", &allowed)->route, &first[0]);
	assert_ptr_equal(find(state, GET, "/slash", &allowed)->route, &first[3]);
	assert_ptr_equal(find(state, GET, "/slash/", &allowed)->route, &first[3]);
	assert_ptr_equal(find(state, GET, "/only/", &allowed)->route, &first[4]);
	assert_null(find(state, GET, "/only", &allowed));
	assert_null(find(state, GET, "/key/a/", &allowed));
}

static void parameters_know_their_segment_and_type(void **state)
{
	unsigned allowed;
	const struct route_entry *entry = find(state, GET, "/key/a.example", &allowed);

	assert_int_equal(entry->params_len, 1);
	assert_string_equal(entry->params[0].name, "server");
	assert_int_equal(entry->params[0].segment, 1);
	assert_string_equal(entry->params[0].type->name, "server_name");
	assert_null(find(state, PUT, "/profile/u/k", &allowed)->params[1].type);
}

static void entries_are_numbered_over_all_tables(void **state)
{
	(void)state;
	assert_int_equal(router_len(router), 7);
	for (unsigned i = 0; i < router_len(router); i++)
		assert_int_equal(router_entry(router, i)->index, i);
	assert_ptr_equal(router_entry(router, 5)->route, &second[0]);
}

static int build(const char *path, const char *other)
{
	const struct route rows[] = { { GET, path }, { GET, other }, { 0 } };
	const struct route *const tables[] = { rows, NULL };
	struct router *made = NULL;
	struct mx_error err = { 0 };
	int rc = router_new(tables, NULL, &made, &err);

	assert_true(rc == 0 || err.text[0]);
	router_free(made);
	return rc;
}

static void an_alias_finds_what_it_stands_for(void **state)
{
	const struct route rows[] = {
		{ GET, "/api/v3/login" },
		{ POST, "/api/v3/login" },
		{ GET, "/api/v3/{a}/{b}" },
		{ GET, "/api/v1/login" },
		{ 0 },
	};
	const struct route *const tables[] = { rows, NULL };
	const struct route_alias before = { "/api/r0", "/api/v3" },
				 mixed = { "/api/v1", "/api/v3" };
	struct router *made = NULL, *all = router;
	unsigned allowed;

	assert_int_equal(router_new(tables, NULL, &made, NULL), 0);
	assert_int_equal(router_alias(made, &before, NULL), 0);
	assert_int_equal(router_alias(made, &mixed, NULL), 0);
	router = made;
	assert_ptr_equal(find(state, GET, "/api/r0/login", &allowed)->route, &rows[0]);
	assert_ptr_equal(find(state, GET, "/api/r0/x/y", &allowed)->route, &rows[2]);
	assert_ptr_equal(find(state, GET, "/api/v1/login", &allowed)->route, &rows[3]);
	assert_ptr_equal(find(state, POST, "/api/v1/login", &allowed)->route, &rows[1]);
	assert_null(find(state, PUT, "/api/r0/login", &allowed));
	assert_int_equal(allowed, 1u << GET | 1u << POST);
	assert_null(find(state, GET, "/api/r0", &allowed));
	assert_null(find(state, GET, "/api/r1/login", &allowed));
	router = all;
	router_free(made);
}

static void an_alias_that_stands_for_nothing_is_refused(void **state)
{
	const struct route_alias nothing = { "/a", "/b" }, deeper = { "/a/b", "/only" },
				 open = { "/{a}", "/only" };
	struct mx_error err = { 0 };

	(void)state;
	assert_int_equal(router_alias(router, &nothing, &err), -MX_BAD_CONFIG);
	assert_int_equal(router_alias(router, &deeper, &err), -MX_BAD_CONFIG);
	assert_int_equal(router_alias(router, &open, &err), -MX_BAD_CONFIG);
}

static void malformed_tables_are_refused(void **state)
{
	(void)state;
	assert_int_equal(build("/a/{b}", "/a/c"), 0);
	assert_int_equal(build("/a/{b}", "/a/{c}"), -MX_BAD_CONFIG);
	assert_int_equal(build("/a", "/a"), -MX_BAD_CONFIG);
	assert_int_equal(build("/a", "b"), -MX_BAD_CONFIG);
	assert_int_equal(build("/a", ""), -MX_BAD_CONFIG);
	assert_int_equal(build("/a", "/b//c"), -MX_BAD_CONFIG);
	assert_int_equal(build("/a", "/{b:no_such_type}"), -MX_BAD_CONFIG);
	assert_int_equal(build("/a", "/{1}/{2}/{3}/{4}/{5}/{6}/{7}/{8}/{9}"), -MX_BAD_CONFIG);
}

#define router_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		router_test(literals_win_over_parameters_but_hide_no_method),
		router_test(another_method_is_told_from_no_path),
		router_test(an_empty_segment_is_no_parameter),
		router_test(a_slash_at_the_end_counts_unless_the_row_says_otherwise),
		router_test(parameters_know_their_segment_and_type),
		router_test(entries_are_numbered_over_all_tables),
		router_test(an_alias_finds_what_it_stands_for),
		router_test(an_alias_that_stands_for_nothing_is_refused),
		cmocka_unit_test(malformed_tables_are_refused),
	};
	return cmocka_run_group_tests_name("http/router", tests, NULL, NULL);
}
