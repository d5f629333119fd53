/* State resolution against its slow reference, in random rooms. TRINITY_GRAPHS says how many of
 * each version (default 1,000). */
#include "homeserver/state/resolve.h"

#include "homeserver/room/room_version.h"
#include "shared/core/alloc.h"
#include "shared/core/str.h"
#include "shared/crypto/ed25519.h"
#include "tests/support/random_room.h"
#include "tests/support/reference_resolve.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define GRAPHS    1000
#define STEPS_MAX 60
#define NUMBERS   256

static uint64_t graphs(void)
{
	const char *wanted = getenv("TRINITY_GRAPHS");
	int64_t count = GRAPHS;

	if (wanted)
		assert_true(mx_parse_i64(mx_slice(wanted), &count));
	return (uint64_t)count;
}

static size_t resolve(struct random_room *random, const size_t *order, uint32_t *ret_numbers)
{
	struct room_state states[RANDOM_ROOM_BRANCHES], resolved;

	for (size_t i = 0; i < random->branches_len; i++) {
		const struct random_branch *branch = &random->branches[order[i]];

		states[i] = state_fixture_state(&random->room, branch->numbers, branch->len);
	}
	assert_int_equal(state_resolve(&random->room.resolver, states, random->branches_len,
				       &resolved, NULL),
			 0);
	return state_fixture_numbers(&random->room, &resolved, ret_numbers, NUMBERS);
}

static size_t resolve_slowly(const struct random_room *random, uint32_t *ret_numbers)
{
	const struct state_fixture *fixture = &random->room;
	struct reference_state states[RANDOM_ROOM_BRANCHES];
	bool *rejected = mx_calloc(fixture->len, sizeof(*rejected));
	const struct reference_room room = {
		.version = fixture->resolver.version,
		.events = (const struct event *const *)fixture->events,
		.rejected = rejected,
		.len = fixture->len,
	};
	size_t len;

	for (uint32_t i = 1; i < fixture->len; i++)
		rejected[i] = fixture->graph_events[i].flags & GRAPH_REJECTED;
	for (size_t i = 0; i < random->branches_len; i++)
		states[i] = (struct reference_state){ random->branches[i].numbers,
						      random->branches[i].len };
	len = reference_resolve(&room, states, random->branches_len, ret_numbers);
	mx_free(rejected);
	return len;
}

static void assert_same(const uint32_t *a, size_t a_len, const uint32_t *b, size_t b_len,
			uint64_t seed, const char *what)
{
	if (a_len != b_len || memcmp(a, b, a_len * sizeof(*a)) != 0)
		fail_msg("%s: room %llu", what, (unsigned long long)seed);
}

static void shuffle(struct random_room *random, size_t order[RANDOM_ROOM_BRANCHES])
{
	for (size_t i = random->branches_len; i > 1; i--) {
		size_t with = random_room_number(random, (uint32_t)i), kept = order[i - 1];

		order[i - 1] = order[with];
		order[with] = kept;
	}
}

static void check_room(const char *version, uint64_t seed)
{
	size_t order[RANDOM_ROOM_BRANCHES] = { 0, 1, 2, 3, 4 };
	uint32_t fast[NUMBERS], slow[NUMBERS], other[NUMBERS];
	size_t fast_len, slow_len, other_len;
	struct random_room random;

	random_room_init(&random, version, seed, 10 + (unsigned)(seed % STEPS_MAX));
	fast_len = resolve(&random, order, fast);
	slow_len = resolve_slowly(&random, slow);
	assert_same(fast, fast_len, slow, slow_len, seed, "not as by the reference");
	shuffle(&random, order);
	other_len = resolve(&random, order, other);
	assert_same(fast, fast_len, other, other_len, seed,
		    "it depends on the order of the states");
	random_room_done(&random);
}

static void resolution_is_that_of_the_specification(void **state)
{
	uint64_t count = graphs();

	for (uint64_t seed = 1; seed <= count; seed++)
		check_room(*state, seed);
}

int main(void)
{
	struct CMUnitTest tests[32] = { 0 };
	const struct room_version *version;
	size_t len = 0;

	mx_crypto_init();
	for (; (version = room_version_at(len)); len++)
		tests[len] = (struct CMUnitTest){
			.name = version->id,
			.test_func = resolution_is_that_of_the_specification,
			.initial_state = (void *)(uintptr_t)version->id,
		};
	return _cmocka_run_group_tests("state/resolve", tests, len, NULL, NULL);
}
