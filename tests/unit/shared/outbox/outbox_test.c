#include "shared/outbox/outbox.h"

#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "tests/support/store_fixture.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>

#define SENDS_MAX 64

/* What the far side does, told by the payload: "ok", "again", "no", "unsure", "hang", "return". */
struct world {
	char *directory; /* NULL: in memory */
	struct store *store;
	struct outbox *outbox;
	pthread_mutex_t lock;
	sem_t sent, ended, returned, go; /* go: lets a "hang" end */
	char order[SENDS_MAX][32]; /* lanes, as their sends began */
	unsigned sends, at_once, at_once_max;
	enum outbox_result last_end;
};

static const struct store_table note_table = { .name = "note" };

static enum outbox_result answer(struct world *world, const struct outbox_item *item)
{
	if (mx_slice_is(item->payload, "ok"))
		return OUTBOX_SENT;
	if (mx_slice_is(item->payload, "again"))
		return OUTBOX_AGAIN;
	if (mx_slice_is(item->payload, "again later"))
		return OUTBOX_AGAIN;
	if (mx_slice_is(item->payload, "again once"))
		return item->attempts == 0 ? OUTBOX_AGAIN : OUTBOX_SENT;
	if (mx_slice_is(item->payload, "no"))
		return OUTBOX_REFUSED;
	if (mx_slice_is(item->payload, "return")) {
		assert_int_equal(outbox_no_return(world->outbox, item, NULL), 0);
		sem_post(&world->returned);
	}
	sem_wait(&world->go);
	return OUTBOX_SENT;
}

static enum outbox_result far_side(void *ctx, const struct outbox_item *item, struct mx_error *err)
{
	struct world *world = ctx;
	enum outbox_result result;

	pthread_mutex_lock(&world->lock);
	snprintf(world->order[world->sends++ % SENDS_MAX], sizeof(world->order[0]), "%.*s",
		 MX_SLICE_ARG(item->lane));
	if (++world->at_once > world->at_once_max)
		world->at_once_max = world->at_once;
	pthread_mutex_unlock(&world->lock);
	sem_post(&world->sent);
	result = answer(world, item);
	if (result != OUTBOX_SENT)
		mx_fail(err, MX_REMOTE_FAILED, "The far side is moody");
	if (mx_slice_is(item->payload, "again later"))
		err->retry_after_ms = 10 * MX_MINUTE_MS;
	pthread_mutex_lock(&world->lock);
	world->at_once--;
	pthread_mutex_unlock(&world->lock);
	return result;
}

static void ended(void *ctx, struct store_txn *txn, const struct outbox_item *item,
		  enum outbox_result result)
{
	struct world *world = ctx;

	store_txn_put(txn, &note_table, item->payload, MX_SLICE("ended"));
	pthread_mutex_lock(&world->lock);
	world->last_end = result;
	pthread_mutex_unlock(&world->lock);
	sem_post(&world->ended);
}

static void open_world(struct world *world, struct outbox_kind kind)
{
	static const struct store_table *const tables[] = { &note_table, NULL };
	const struct store_table *all[] = { outbox_tables[0], tables[0], NULL };
	const struct store_conf conf = { .directory = world->directory, .tables = all };

	kind.name = "test";
	kind.send = far_side;
	kind.ended = ended;
	kind.ctx = world;
	if (!kind.first_ms)
		kind.first_ms = kind.max_ms = 1;
	if (!kind.give_up_ms)
		kind.give_up_ms = MX_HOUR_MS;
	if (!kind.parallel)
		kind.parallel = 2;
	assert_int_equal(store_open(&conf, &world->store, NULL), 0);
	assert_int_equal(outbox_new(&(struct outbox_conf){ .store = world->store,
							   .kinds = &kind,
							   .kinds_len = 1 },
				    &world->outbox, NULL),
			 0);
}

static struct world *world_new(struct outbox_kind kind)
{
	struct world *world = mx_calloc(1, sizeof(*world));

	pthread_mutex_init(&world->lock, NULL);
	sem_init(&world->sent, 0, 0);
	sem_init(&world->ended, 0, 0);
	sem_init(&world->returned, 0, 0);
	sem_init(&world->go, 0, 0);
	open_world(world, kind);
	outbox_start(world->outbox);
	return world;
}

static void close_world(struct world *world)
{
	outbox_free(world->outbox);
	store_close(world->store);
}

static void world_free(struct world *world)
{
	close_world(world);
	if (world->directory)
		store_fixture_directory_remove(world->directory);
	mx_free(world);
}

static uint64_t add_to(struct world *world, const char *lane, const char *payload)
{
	struct store_txn *txn = store_txn_begin(world->store);
	const struct outbox_new_item item = { "test", mx_slice(lane), mx_slice(payload), 0 };
	uint64_t id = outbox_add(world->outbox, txn, &item);

	assert_int_equal(store_txn_commit(txn, NULL), 0);
	return id;
}

static uint64_t add(struct world *world, const char *payload)
{
	return add_to(world, "lane", payload);
}

/* The report of an item that has just ended: `ended` runs a moment before its transaction is
 * committed. */
static struct outbox_report end_of(struct world *world, uint64_t id)
{
	struct outbox_report report;

	do
		outbox_look(world->outbox, id, &report);
	while (report.stage != OUTBOX_ENDED);
	return report;
}

static void an_item_is_sent_when_its_transaction_is_committed(void **state)
{
	struct world *world = world_new((struct outbox_kind){ 0 });
	struct store_txn *txn = store_txn_begin(world->store);
	const struct outbox_new_item item = { "test", MX_SLICE("lane"), MX_SLICE("ok"), 0 };
	struct outbox_report report;
	uint64_t id = outbox_add(world->outbox, txn, &item);

	(void)state;
	outbox_look(world->outbox, id, &report);
	assert_int_equal(report.stage, OUTBOX_UNKNOWN);
	assert_int_equal(store_txn_commit(txn, NULL), 0);
	sem_wait(&world->ended);
	report = end_of(world, id);
	assert_int_equal(report.result, OUTBOX_SENT);
	assert_int_equal(world->sends, 1);
	world_free(world);
}

static void an_aborted_transaction_sends_nothing(void **state)
{
	struct world *world = world_new((struct outbox_kind){ .parallel = 1 });
	struct store_txn *txn = store_txn_begin(world->store);
	const struct outbox_new_item item = { "test", MX_SLICE("aborted"), MX_SLICE("ok"), 0 };

	(void)state;
	outbox_add(world->outbox, txn, &item);
	store_txn_abort(txn);
	end_of(world, add(world, "ok"));
	assert_int_equal(world->sends, 1);
	assert_string_equal(world->order[0], "lane");
	world_free(world);
}

static void a_failed_item_is_tried_again(void **state)
{
	struct world *world = world_new((struct outbox_kind){ 0 });
	struct outbox_report report = end_of(world, add(world, "again once"));

	(void)state;
	assert_int_equal(report.result, OUTBOX_SENT);
	assert_int_equal(report.attempts, 1);
	assert_int_equal(world->sends, 2);
	world_free(world);
}

static void the_far_side_may_ask_for_a_longer_pause(void **state)
{
	struct world *world = world_new((struct outbox_kind){ 0 });
	int64_t began_ms = mx_now_ms();
	uint64_t id = add(world, "again later");
	struct outbox_report report;

	(void)state;
	do
		outbox_look(world->outbox, id, &report);
	while (report.attempts == 0);
	assert_int_equal(report.stage, OUTBOX_WAITING);
	assert_in_range(report.next_ms - began_ms, 10 * MX_MINUTE_MS, 11 * MX_MINUTE_MS);
	world_free(world);
}

static void a_refused_item_ends_with_its_reason(void **state)
{
	struct world *world = world_new((struct outbox_kind){ 0 });
	struct outbox_report report = end_of(world, add(world, "no"));

	(void)state;
	assert_int_equal(report.result, OUTBOX_REFUSED);
	assert_string_equal(report.why, "The far side is moody");
	assert_int_equal(world->sends, 1);
	world_free(world);
}

static void an_item_expires_when_nobody_takes_it(void **state)
{
	struct world *world = world_new((struct outbox_kind){ 0 });
	uint64_t id = add(world, "again");
	struct outbox_report report;

	(void)state;
	sem_wait(&world->sent);
	mx_time_shift(2 * MX_HOUR_MS);
	report = end_of(world, id);
	mx_time_shift(-2 * MX_HOUR_MS);
	assert_int_equal(report.result, OUTBOX_EXPIRED);
	world_free(world);
}

static void the_end_of_an_item_is_part_of_its_transaction(void **state)
{
	struct world *world = world_new((struct outbox_kind){ 0 });
	struct store_txn *txn;
	struct mx_arena *mem = mx_arena_new(0);
	struct mx_slice value;

	(void)state;
	end_of(world, add(world, "ok"));
	txn = store_txn_begin(world->store);
	assert_int_equal(store_txn_get(txn, &note_table, MX_SLICE("ok"), mem, &value), 0);
	store_txn_abort(txn);
	mx_arena_free(mem);
	world_free(world);
}

static void one_lane_does_not_hold_up_the_others(void **state)
{
	struct world *world = world_new((struct outbox_kind){ .parallel = 3, .lane_parallel = 1 });
	uint64_t first, second;

	(void)state;
	first = add_to(world, "slow", "hang");
	sem_wait(&world->sent);
	second = add_to(world, "slow", "ok");
	end_of(world, add_to(world, "fast", "ok"));
	assert_int_equal(world->sends, 2);
	assert_string_equal(world->order[1], "fast");
	sem_post(&world->go);
	end_of(world, first);
	end_of(world, second);
	assert_int_equal(world->sends, 3);
	world_free(world);
}

static void no_more_than_agreed_are_sent_at_once(void **state)
{
	struct world *world = world_new((struct outbox_kind){ .parallel = 2 });
	uint64_t ids[6];

	(void)state;
	for (int i = 0; i < 6; i++)
		ids[i] = add_to(world, i % 2 ? "a" : "b", "hang");
	for (int i = 0; i < 6; i++)
		sem_post(&world->go);
	for (int i = 0; i < 6; i++)
		end_of(world, ids[i]);
	assert_true(world->at_once_max <= 2);
	assert_int_equal(world->sends, 6);
	world_free(world);
}

static void what_waits_is_sent_after_a_restart(void **state)
{
	struct world *world = world_new((struct outbox_kind){ 0 });
	uint64_t id;

	(void)state;
	close_world(world);
	world->directory = store_fixture_directory();
	open_world(world, (struct outbox_kind){ 0 }); /* not started: nothing is sent */
	id = add(world, "ok");
	close_world(world);
	assert_int_equal(world->sends, 0);
	open_world(world, (struct outbox_kind){ 0 });
	outbox_start(world->outbox);
	assert_int_equal(end_of(world, id).result, OUTBOX_SENT);
	world_free(world);
}

/* A backup from the middle of a send is what a killed process leaves. */
static void past_the_point_of_no_return_nothing_is_sent_twice(void **state)
{
	struct world *world = world_new((struct outbox_kind){ .parallel = 1 });
	struct world *after = mx_calloc(1, sizeof(*after));
	char *parent = store_fixture_directory();
	mx_autofree char *copy = mx_strf("%s/copy", parent);
	mx_autofree char *restored = mx_strf("%s/restored", parent);
	uint64_t id;

	(void)state;
	close_world(world);
	world->directory = store_fixture_directory();
	open_world(world, (struct outbox_kind){ .parallel = 1 });
	outbox_start(world->outbox);
	id = add(world, "return");
	sem_wait(&world->returned);
	assert_int_equal(outbox_withdraw(world->outbox, id, NULL), -MX_CONFLICT);
	assert_int_equal(store_backup(world->store, copy, NULL), 0);
	sem_post(&world->go);
	assert_int_equal(end_of(world, id).result, OUTBOX_SENT);
	world_free(world);

	assert_int_equal(store_restore(copy, restored, NULL), 0);
	after->directory = restored;
	sem_init(&after->ended, 0, 0);
	open_world(after, (struct outbox_kind){ 0 });
	outbox_start(after->outbox);
	assert_int_equal(end_of(after, id).result, OUTBOX_UNSURE);
	assert_int_equal(after->last_end, OUTBOX_UNSURE);
	assert_int_equal(after->sends, 0);
	close_world(after);
	mx_free(after);
	store_fixture_directory_remove(parent);
}

static void an_operator_sees_hastens_and_withdraws(void **state)
{
	struct world *world = world_new(
		(struct outbox_kind){ .first_ms = MX_HOUR_MS, .max_ms = MX_HOUR_MS });
	uint64_t id = add(world, "again");
	struct outbox_report report;
	json_t *list;

	(void)state;
	do
		outbox_look(world->outbox, id, &report);
	while (report.stage != OUTBOX_WAITING || report.attempts == 0);
	assert_true(report.next_ms > mx_now_ms() + MX_HOUR_MS / 2);
	sem_wait(&world->sent);
	list = outbox_list(world->outbox, "test", 0, 10);
	assert_int_equal(json_array_size(json_object_get(list, "items")), 1);
	assert_string_equal(json_string_value(json_object_get(
				    json_array_get(json_object_get(list, "items"), 0), "why")),
			    "The far side is moody");
	json_decref(list);
	assert_int_equal(outbox_hasten(world->outbox, id, NULL), 0);
	sem_wait(&world->sent);
	do
		outbox_look(world->outbox, id, &report);
	while (report.stage != OUTBOX_WAITING || report.attempts < 2);
	assert_int_equal(outbox_withdraw(world->outbox, id, NULL), 0);
	assert_int_equal(end_of(world, id).result, OUTBOX_WITHDRAWN);
	assert_int_equal(world->last_end, OUTBOX_WITHDRAWN);
	assert_int_equal(outbox_hasten(world->outbox, id, NULL), -MX_NOT_FOUND);
	world_free(world);
}

static void note_item(void *ctx, const struct outbox_item *item)
{
	struct outbox_item *noted = ctx;

	assert_string_equal(item->kind, "test");
	assert_true(mx_slice_is(item->payload, "again"));
	noted->id = item->id;
	noted->attempts++;
}

static void an_item_is_cancelled_with_what_else_is_done(void **state)
{
	struct world *world = world_new(
		(struct outbox_kind){ .first_ms = MX_HOUR_MS, .max_ms = MX_HOUR_MS });
	uint64_t id = add(world, "again");
	struct outbox_item noted = { 0 };
	struct outbox_report report;
	struct store_txn *txn;

	(void)state;
	do
		outbox_look(world->outbox, id, &report);
	while (report.stage != OUTBOX_WAITING || report.attempts == 0);
	assert_int_equal(outbox_each(world->outbox, note_item, &noted, NULL), 0);
	assert_true(noted.id == id);
	assert_int_equal(noted.attempts, 1);
	txn = store_txn_begin(world->store);
	assert_int_equal(outbox_cancel_in(world->outbox, txn, id + 1, NULL), -MX_NOT_FOUND);
	store_txn_abort(txn);
	txn = store_txn_begin(world->store);
	assert_int_equal(outbox_cancel_in(world->outbox, txn, id, NULL), 0);
	outbox_look(world->outbox, id, &report);
	assert_int_equal(report.stage, OUTBOX_WAITING);
	assert_int_equal(store_txn_commit(txn, NULL), 0);
	assert_int_equal(end_of(world, id).result, OUTBOX_WITHDRAWN);
	assert_int_equal(world->last_end, OUTBOX_WITHDRAWN);
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_item_is_sent_when_its_transaction_is_committed),
		cmocka_unit_test(an_aborted_transaction_sends_nothing),
		cmocka_unit_test(an_item_is_cancelled_with_what_else_is_done),
		cmocka_unit_test(a_failed_item_is_tried_again),
		cmocka_unit_test(the_far_side_may_ask_for_a_longer_pause),
		cmocka_unit_test(a_refused_item_ends_with_its_reason),
		cmocka_unit_test(an_item_expires_when_nobody_takes_it),
		cmocka_unit_test(the_end_of_an_item_is_part_of_its_transaction),
		cmocka_unit_test(one_lane_does_not_hold_up_the_others),
		cmocka_unit_test(no_more_than_agreed_are_sent_at_once),
		cmocka_unit_test(what_waits_is_sent_after_a_restart),
		cmocka_unit_test(past_the_point_of_no_return_nothing_is_sent_twice),
		cmocka_unit_test(an_operator_sees_hastens_and_withdraws),
	};

	return cmocka_run_group_tests_name("shared/outbox/outbox", tests, NULL, NULL);
}
