/* State resolution in a small room: the first byte is its version, each line an event or a fork.
 * The result does not depend on the order of the states, and is that of the slow reference. */
#include "tests/fuzz/fuzz.h"

#include "homeserver/state/resolve.h"
#include "shared/core/str.h"
#include "tests/support/small_room.h"

struct resolved {
	uint32_t numbers[SMALL_ROOM_EVENTS + 1];
	size_t len;
};

static void resolve(struct small_room *small, size_t first, struct resolved *ret)
{
	struct room_state states[SMALL_ROOM_BRANCHES], resolved;

	for (size_t i = 0; i < small->branches_len; i++) {
		const struct state_branch
			*branch = &small->branches[(first + i) % small->branches_len];

		states[i] = state_fixture_state(&small->room, branch->numbers, branch->len);
	}
	FUZZ_ASSERT(state_resolve(&small->room.resolver, states, small->branches_len, &resolved,
				  NULL) == 0);
	ret->len = state_fixture_numbers(&small->room, &resolved, ret->numbers,
					 SMALL_ROOM_EVENTS + 1);
}

static bool is_same(const struct resolved *a, const struct resolved *b)
{
	return a->len == b->len && memcmp(a->numbers, b->numbers, a->len * sizeof(uint32_t)) == 0;
}

static void check_room(struct small_room *small)
{
	struct resolved first, other;

	resolve(small, 0, &first);
	for (size_t i = 1; i < small->branches_len; i++) {
		resolve(small, i, &other);
		FUZZ_ASSERT(is_same(&first, &other));
	}
	other.len = state_branches_resolve_slowly(&small->room, small->branches,
						  small->branches_len, other.numbers);
	FUZZ_ASSERT(is_same(&first, &other));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mx_slice rest, line;
	struct small_room small;

	if (size == 0)
		return 0;
	rest = small_room_read(&small, data, size);
	while (mx_split_next(&rest, '\n', &line))
		small_room_say(&small, line);
	if (small.room.len > 1)
		check_room(&small);
	small_room_done(&small);
	return 0;
}
