/*
 * An arena for each test, with cmocka.
 *
 *	static void a_name_is_read(void **mem) { … name_parse("x", *mem) … }
 *	const struct CMUnitTest tests[] = { arena_test(a_name_is_read) };
 */
#pragma once

#include "shared/core/arena.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

/* The test's state too; helpers need not be given it. */
extern struct mx_arena *test_mem;

#define arena_test(function) \
	cmocka_unit_test_setup_teardown(function, arena_fixture_setup, arena_fixture_teardown)

int arena_fixture_setup(void **state);
int arena_fixture_teardown(void **state);
