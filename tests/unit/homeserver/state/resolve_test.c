/* State resolution against its slow reference, in random rooms. TRINITY_GRAPHS says how many of
 * each version (default 1,000), TRINITY_FIRST the number of the first one; TRINITY_VERSION is the
 * only version to be tried. */
#include "homeserver/state/resolve.h"

#include "homeserver/event/room_version.h"
#include "shared/core/str.h"
#include "shared/crypto/ed25519.h"
#include "tests/support/random_room.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define GRAPHS    1000
#define STEPS_MAX 60
#define NUMBERS   256

static uint64_t setting(const char *name, int64_t otherwise)
{
	const char *wanted = getenv(name);
	int64_t number = otherwise;

	if (wanted)
		assert_true(mx_parse_i64(mx_slice(wanted), &number));
	return (uint64_t)number;
}

/* A resolved state. */
struct resolved {
	uint32_t numbers[NUMBERS];
	size_t len;
};

static void resolve(struct random_room *random, const size_t *order, struct resolved *ret)
{
	struct room_state states[RANDOM_ROOM_BRANCHES], resolved;

	for (size_t i = 0; i < random->branches_len; i++) {
		const struct state_branch *branch = &random->branches[order[i]];

		states[i] = state_fixture_state(&random->room, branch->numbers, branch->len);
	}
	assert_int_equal(state_resolve(&random->room.resolver, states, random->branches_len,
				       &resolved, NULL),
			 0);
	ret->len = state_fixture_numbers(&random->room, &resolved, ret->numbers, NUMBERS);
}

static void assert_same(const struct resolved *a, const struct resolved *b, uint64_t seed,
			const char *otherwise)
{
	if (a->len != b->len || memcmp(a->numbers, b->numbers, a->len * sizeof(*a->numbers)) != 0)
		fail_msg("room %llu: %s", (unsigned long long)seed, otherwise);
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
	struct resolved fast, slow, other;
	struct random_room random;

	random_room_init(&random, version, seed, 10 + (unsigned)(seed % STEPS_MAX));
	resolve(&random, order, &fast);
	slow.len = state_branches_resolve_slowly(&random.room, random.branches, random.branches_len,
						 slow.numbers);
	assert_same(&fast, &slow, seed, "not as by the reference");
	shuffle(&random, order);
	resolve(&random, order, &other);
	assert_same(&fast, &other, seed, "it depends on the order of the states");
	random_room_done(&random);
}

static void resolution_is_that_of_the_specification(void **state)
{
	uint64_t count = setting("TRINITY_GRAPHS", GRAPHS), first = setting("TRINITY_FIRST", 1);

	for (uint64_t seed = first; seed < first + count; seed++)
		check_room(*state, seed);
}

int main(void)
{
	struct CMUnitTest tests[32] = { 0 };
	const char *only = getenv("TRINITY_VERSION");
	const struct room_version *version;
	size_t len = 0;

	mx_crypto_init();
	for (size_t i = 0; (version = room_version_at(i)); i++) {
		if (only && !streq(only, version->id))
			continue;
		tests[len++] = (struct CMUnitTest){
			.name = version->id,
			.test_func = resolution_is_that_of_the_specification,
			.initial_state = (void *)(uintptr_t)version->id,
		};
	}
	return _cmocka_run_group_tests("state/resolve", tests, len, NULL, NULL);
}
