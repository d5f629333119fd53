#include "tests/support/arena_fixture.h"

struct mx_arena *test_mem;

int arena_fixture_setup(void **state)
{
	*state = test_mem = mx_arena_new(0);
	return 0;
}

int arena_fixture_teardown(void **state)
{
	(void)state;
	mx_arena_free(test_mem);
	test_mem = NULL;
	return 0;
}
