#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/store/store.h"
#include "tests/support/store_fixture.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#define LINKS  12
#define ROUNDS 200

static const struct store_table rows_table = { .name = "chained" };
static const struct store_table *const tables[] = { &rows_table, NULL };

/* Keeps the committer busy in an answer, so that what follows is one group. */
struct gate {
	sem_t begun, go;
};

static void gate_answer(void *ctx, int rc)
{
	struct gate *gate = ctx;

	(void)rc;
	sem_post(&gate->begun);
	sem_wait(&gate->go);
}

static void gate_close(struct gate *gate, struct store *store)
{
	struct store_txn *txn = store_txn_begin(store);

	sem_init(&gate->begun, 0, 0);
	sem_init(&gate->go, 0, 0);
	store_txn_put(txn, &rows_table, MX_SLICE("gate"), MX_SLICE("1"));
	store_txn_commit_async(txn, gate_answer, gate);
	sem_wait(&gate->begun);
}

struct answer {
	sem_t done;
	int rc;
	bool broken; /* the chain, when the answer came */
	const struct store_chain *chain;
};

static void on_answer(void *ctx, int rc)
{
	struct answer *answer = ctx;

	answer->rc = rc;
	answer->broken = store_chain_is_broken(answer->chain);
	sem_post(&answer->done);
}

static void send(struct store_txn *txn, struct store_chain *chain, struct answer *answer)
{
	sem_init(&answer->done, 0, 0);
	answer->chain = chain;
	store_txn_chain(txn, chain);
	store_txn_commit_async(txn, on_answer, answer);
}

static int answer_of(struct answer *answer)
{
	sem_wait(&answer->done);
	return answer->rc;
}

static struct store_txn *writing(struct store *store, const char *key)
{
	struct store_txn *txn = store_txn_begin(store);

	store_txn_put(txn, &rows_table, mx_slice(key), MX_SLICE("1"));
	return txn;
}

/* "gate" is there, so it fails its check. */
static struct store_txn *failing(struct store *store)
{
	struct store_txn *txn = writing(store, "never");

	store_txn_expect_absent(txn, &rows_table, MX_SLICE("gate"));
	return txn;
}

static bool is_there(struct store *store, const char *key)
{
	struct store_view *view = store_view_begin(store);
	mx_arena_auto *mem = mx_arena_new(0);
	struct mx_slice value;
	int rc = store_get(view, &rows_table, mx_slice(key), mem, &value);

	store_view_end(view);
	return rc == 0;
}

static void what_follows_a_failure_in_its_group_fails(void **state)
{
	struct store *store = store_fixture_open(tables);
	struct answer answers[4] = { 0 };
	struct store_chain chain;
	struct gate gate;

	(void)state;
	store_chain_init(&chain);
	gate_close(&gate, store);
	send(writing(store, "first"), &chain, &answers[0]);
	send(failing(store), &chain, &answers[1]);
	send(writing(store, "third"), &chain, &answers[2]);
	send(writing(store, "fourth"), &chain, &answers[3]);
	assert_false(store_chain_is_broken(&chain));
	sem_post(&gate.go);
	assert_int_equal(answer_of(&answers[0]), 0);
	for (size_t i = 1; i < 4; i++) {
		assert_int_equal(answer_of(&answers[i]), -MX_CONFLICT);
		assert_true(answers[i].broken);
	}
	assert_true(is_there(store, "first"));
	assert_false(is_there(store, "third"));
	store_close(store);
}

static void what_follows_a_failure_much_later_fails(void **state)
{
	struct store *store = store_fixture_open(tables);
	struct answer first = { 0 }, second = { 0 };
	struct store_chain chain;
	struct gate gate;

	(void)state;
	store_chain_init(&chain);
	gate_close(&gate, store);
	sem_post(&gate.go);
	send(failing(store), &chain, &first);
	assert_int_equal(answer_of(&first), -MX_CONFLICT);
	assert_true(store_chain_is_broken(&chain));
	send(writing(store, "second"), &chain, &second);
	assert_int_equal(answer_of(&second), -MX_CONFLICT);
	assert_false(is_there(store, "second"));
	store_close(store);
}

static void other_chains_and_lone_transactions_go_on(void **state)
{
	struct store *store = store_fixture_open(tables);
	struct answer answers[3] = { 0 };
	struct store_chain broken, whole;
	struct gate gate;

	(void)state;
	store_chain_init(&broken);
	store_chain_init(&whole);
	gate_close(&gate, store);
	send(failing(store), &broken, &answers[0]);
	send(writing(store, "whole"), &whole, &answers[1]);
	send(writing(store, "broken"), &broken, &answers[2]);
	sem_post(&gate.go);
	assert_int_equal(store_txn_commit(writing(store, "lone"), NULL), 0);
	assert_int_equal(answer_of(&answers[0]), -MX_CONFLICT);
	assert_int_equal(answer_of(&answers[1]), 0);
	assert_int_equal(answer_of(&answers[2]), -MX_CONFLICT);
	assert_false(store_chain_is_broken(&whole));
	store_close(store);
}

/* It fails before the committer sees it: the chain breaks in its place, not at once. */
static void a_transaction_that_failed_before_its_commit_breaks_the_chain_in_its_turn(void **state)
{
	struct store *store = store_fixture_open(tables);
	char key[STORE_KEY_MAX + 1] = { 0 };
	struct answer answers[3] = { 0 };
	struct store_txn *too_large;
	struct store_chain chain;
	struct gate gate;

	(void)state;
	store_chain_init(&chain);
	gate_close(&gate, store);
	send(writing(store, "first"), &chain, &answers[0]);
	too_large = writing(store, "second");
	store_txn_put(too_large, &rows_table, mx_slice_of(key, sizeof(key)), MX_SLICE(""));
	send(too_large, &chain, &answers[1]);
	assert_false(store_chain_is_broken(&chain));
	send(writing(store, "third"), &chain, &answers[2]);
	sem_post(&gate.go);
	assert_int_equal(answer_of(&answers[0]), 0);
	assert_int_equal(answer_of(&answers[1]), -MX_TOO_LARGE);
	assert_int_equal(answer_of(&answers[2]), -MX_CONFLICT);
	assert_true(is_there(store, "first"));
	store_close(store);
}

static void a_transaction_that_writes_nothing_shares_the_fate_of_its_chain(void **state)
{
	struct store *store = store_fixture_open(tables);
	struct answer answers[3] = { 0 };
	struct store_chain chain;
	struct gate gate;

	(void)state;
	store_chain_init(&chain);
	gate_close(&gate, store);
	send(store_txn_begin(store), &chain, &answers[0]);
	send(failing(store), &chain, &answers[1]);
	send(store_txn_begin(store), &chain, &answers[2]);
	sem_post(&gate.go);
	assert_int_equal(answer_of(&answers[0]), 0);
	assert_int_equal(answer_of(&answers[1]), -MX_CONFLICT);
	assert_int_equal(answer_of(&answers[2]), -MX_CONFLICT);
	store_close(store);
}

static void an_aborted_transaction_breaks_nothing(void **state)
{
	struct store *store = store_fixture_open(tables);
	struct store_txn *txn = writing(store, "aborted");
	struct answer answer = { 0 };
	struct store_chain chain;

	(void)state;
	store_chain_init(&chain);
	store_txn_chain(txn, &chain);
	store_txn_abort(txn);
	send(writing(store, "next"), &chain, &answer);
	assert_int_equal(answer_of(&answer), 0);
	assert_false(store_chain_is_broken(&chain));
	store_close(store);
}

/* ---- who sees the chain broken sees all that succeeded */

struct race {
	struct store *store;
	struct store_chain chain;
	unsigned seen; /* rows, in a view that was opened after the chain was seen broken */
};

static const char *const names[LINKS] = {
	"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"
};

static void *look_when_broken(void *arg)
{
	struct race *race = arg;

	while (!store_chain_is_broken(&race->chain))
		sched_yield();
	for (size_t i = 0; i < LINKS; i++)
		race->seen += is_there(race->store, names[i]);
	return NULL;
}

static void race_once(unsigned round)
{
	struct race race = { .store = store_fixture_open(tables) };
	struct answer answers[LINKS] = { 0 };
	unsigned bad = round % LINKS, succeeded = 0;
	pthread_t looker;

	store_chain_init(&race.chain);
	assert_int_equal(store_txn_commit(writing(race.store, "gate"), NULL), 0);
	pthread_create(&looker, NULL, look_when_broken, &race);
	for (unsigned i = 0; i < LINKS; i++)
		send(i == bad ? failing(race.store) : writing(race.store, names[i]), &race.chain,
		     &answers[i]);
	for (unsigned i = 0; i < LINKS; i++)
		succeeded += answer_of(&answers[i]) == 0;
	pthread_join(looker, NULL);
	assert_int_equal(succeeded, bad);
	assert_int_equal(race.seen, bad);
	store_close(race.store);
}

static void who_sees_a_broken_chain_sees_all_that_succeeded(void **state)
{
	(void)state;
	for (unsigned round = 0; round < ROUNDS / LINKS; round++)
		race_once(round);
}

static void a_chain_knows_how_many_are_undecided(void **state)
{
	struct store *store = store_fixture_open(tables);
	struct store_chain chain;
	struct answer answers[3];
	struct gate gate;

	(void)state;
	store_chain_init(&chain);
	gate_close(&gate, store);
	for (size_t i = 0; i < 3; i++)
		send(writing(store, "row"), &chain, &answers[i]);
	assert_int_equal(store_chain_pending(&chain), 3);
	sem_post(&gate.go);
	store_chain_settle(store, &chain);
	assert_int_equal(store_chain_pending(&chain), 0);
	for (size_t i = 0; i < 3; i++)
		sem_wait(&answers[i].done);
	assert_false(store_chain_is_broken(&chain));
	store_close(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_follows_a_failure_in_its_group_fails),
		cmocka_unit_test(what_follows_a_failure_much_later_fails),
		cmocka_unit_test(other_chains_and_lone_transactions_go_on),
		cmocka_unit_test(
			a_transaction_that_failed_before_its_commit_breaks_the_chain_in_its_turn),
		cmocka_unit_test(a_transaction_that_writes_nothing_shares_the_fate_of_its_chain),
		cmocka_unit_test(an_aborted_transaction_breaks_nothing),
		cmocka_unit_test(who_sees_a_broken_chain_sees_all_that_succeeded),
		cmocka_unit_test(a_chain_knows_how_many_are_undecided),
	};

	return cmocka_run_group_tests_name("store/chain", tests, NULL, NULL);
}
