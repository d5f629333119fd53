#include "homeserver/timeline/client_txn_db.h"

#include "homeserver/call.h"
#include "homeserver/hs.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/time.h"
#include "tests/support/store_fixture.h"

#define NOW (100 * MX_DAY_MS)

struct fixture {
	struct hs hs;
	struct mx_arena *mem;
};

static const struct client_txn sent = {
	"@ann:here", "PHONE", "send", "!room:here", "m.room.message", "1",
};

static struct hs_call call_at(struct fixture *f, struct store_txn *txn, int64_t now_ms)
{
	return (struct hs_call){ .hs = &f->hs, .txn = txn, .mem = f->mem, .now_ms = now_ms };
}

static int find(struct fixture *f, const struct client_txn *request, int64_t now_ms,
		const char **ret_event_id)
{
	struct store_txn *txn = store_txn_begin(f->hs.store);
	struct hs_call call = call_at(f, txn, now_ms);
	int rc = client_txn_db_find(&call, request, ret_event_id);

	store_txn_abort(txn);
	return rc;
}

static void put(struct fixture *f, const struct client_txn *request, int64_t now_ms)
{
	struct store_txn *txn = store_txn_begin(f->hs.store);
	struct hs_call call = call_at(f, txn, now_ms);

	client_txn_db_put(&call, request, "$event");
	assert_int_equal(store_txn_commit(txn, NULL), 0);
}

static void the_same_request_made_the_same_event(void **state)
{
	const char *event_id;

	assert_int_equal(find(*state, &sent, NOW, &event_id), -MX_NOT_FOUND);
	put(*state, &sent, NOW);
	assert_int_equal(find(*state, &sent, NOW, &event_id), 0);
	assert_string_equal(event_id, "$event");
}

static void another_path_or_device_is_another_request(void **state)
{
	struct client_txn others[] = { sent, sent, sent, sent, sent, sent };
	const char *event_id;

	put(*state, &sent, NOW);
	others[0].user = "@bob:here";
	others[1].device = NULL;
	others[2].endpoint = "redact";
	others[3].room_id = "!other:here";
	others[4].what = "m.reaction";
	others[5].id = "2";
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_int_equal(find(*state, &others[i], NOW, &event_id), -MX_NOT_FOUND);
}

static void it_is_known_for_a_day_at_least(void **state)
{
	const char *event_id;

	put(*state, &sent, NOW + MX_DAY_MS - 1);
	assert_int_equal(find(*state, &sent, NOW + 2 * MX_DAY_MS - 1, &event_id), 0);
	assert_int_equal(find(*state, &sent, NOW + 2 * MX_DAY_MS, &event_id), -MX_NOT_FOUND);
}

static void only_what_is_old_is_forgotten(void **state)
{
	struct fixture *f = *state;
	const char *event_id;

	put(f, &sent, NOW);
	assert_int_equal(client_txn_reap(&f->hs, NOW + MX_DAY_MS), 0);
	assert_int_equal(find(f, &sent, NOW, &event_id), 0);
	assert_int_equal(client_txn_reap(&f->hs, NOW + 2 * MX_DAY_MS), 1);
	assert_int_equal(find(f, &sent, NOW, &event_id), -MX_NOT_FOUND);
}

/* Two at once: the second one fails to commit, and finds the first one when it is run again. */
static void of_two_at_once_one_is_lost(void **state)
{
	struct fixture *f = *state;
	struct store_txn *txns[2];
	const char *event_id;

	for (unsigned i = 0; i < 2; i++) {
		struct hs_call call;

		txns[i] = store_txn_begin(f->hs.store);
		call = call_at(f, txns[i], NOW);
		assert_int_equal(client_txn_db_find(&call, &sent, &event_id), -MX_NOT_FOUND);
		client_txn_db_put(&call, &sent, "$event");
	}
	assert_int_equal(store_txn_commit(txns[0], NULL), 0);
	assert_int_equal(store_txn_commit(txns[1], NULL), -MX_CONFLICT);
}

static int setup(void **state)
{
	struct fixture *f = test_calloc(1, sizeof(*f));

	f->hs.store = store_fixture_open(client_txn_tables);
	f->mem = mx_arena_new(0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	store_close(f->hs.store);
	mx_arena_free(f->mem);
	test_free(f);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_same_request_made_the_same_event),
		TEST(another_path_or_device_is_another_request),
		TEST(it_is_known_for_a_day_at_least),
		TEST(only_what_is_old_is_forgotten),
		TEST(of_two_at_once_one_is_lost),
	};

	return cmocka_run_group_tests_name("timeline/client_txn_db", tests, NULL, NULL);
}
