#include "shared/store/committer.h"

#include "shared/core/error.h"
#include "shared/core/metrics.h"
#include "tests/support/store_fixture.h"

#include <pthread.h>
#include <semaphore.h>

#define BATCHES 700

/* An engine that only looks at what the committer hands to it. */
struct fake_engine {
	struct store_engine base;
	sem_t begun, go; /* the first group waits for the test */
	unsigned groups;
	size_t sizes[BATCHES];
	size_t first_bytes[BATCHES];
};

struct numbered {
	struct store_batch batch;
	struct fake_engine *engine;
	unsigned number;
	unsigned *answered; /* how many were before it */
	bool in_order;
};

static void fake_apply(struct store_engine *engine, struct store_batch *const *group, size_t len)
{
	struct fake_engine *fake = (struct fake_engine *)engine;

	if (fake->groups == 0) {
		sem_post(&fake->begun);
		sem_wait(&fake->go);
	}
	fake->first_bytes[fake->groups] = group[0]->bytes;
	fake->sizes[fake->groups++] = len;
	for (size_t i = 0; i < len; i++)
		group[i]->rc = group[i]->bytes == 13 ? -MX_CONFLICT : 0;
}

static const struct store_engine_ops fake_ops = { .apply = fake_apply };

static void on_done(struct store_batch *batch)
{
	struct numbered *numbered = (struct numbered *)batch;

	numbered->in_order = *numbered->answered == numbered->number;
	++*numbered->answered;
}

static void fake_begin(struct fake_engine *fake)
{
	*fake = (struct fake_engine){ .base.ops = &fake_ops };
	sem_init(&fake->begun, 0, 0);
	sem_init(&fake->go, 0, 0);
}

static void push(struct store_committer *committer, struct numbered *numbered, size_t bytes)
{
	numbered->batch.done = on_done;
	numbered->batch.bytes = bytes;
	store_committer_push(committer, &numbered->batch);
}

static void what_waits_is_one_group_of_at_most_256(void **state)
{
	static struct numbered batches[BATCHES];
	struct store_committer *committer;
	struct fake_engine fake;
	unsigned answered = 0;

	(void)state;
	fake_begin(&fake);
	committer = store_committer_new(&fake.base, NULL);
	for (unsigned i = 0; i < BATCHES; i++) {
		batches[i] = (struct numbered){ .number = i, .answered = &answered };
		push(committer, &batches[i], 1);
		if (i == 0)
			sem_wait(&fake.begun); /* the others come while it is applied */
	}
	sem_post(&fake.go);
	store_committer_free(committer); /* answers all of them first */
	assert_int_equal(answered, BATCHES);
	assert_int_equal(fake.sizes[0], 1);
	assert_int_equal(fake.sizes[1], STORE_GROUP_MAX);
	assert_int_equal(fake.sizes[2], STORE_GROUP_MAX);
	assert_int_equal(fake.sizes[3], BATCHES - 1 - 2 * STORE_GROUP_MAX);
	for (unsigned i = 0; i < BATCHES; i++)
		assert_true(batches[i].in_order);
}

static void a_group_has_a_limit_of_bytes_but_takes_one_large_batch(void **state)
{
	static const size_t bytes[] = { 1, STORE_GROUP_BYTES_MAX - 10,        10,
					1, 2 * (size_t)STORE_GROUP_BYTES_MAX, 5 };
	static const size_t sizes[] = { 1, 2, 1, 1, 1 };
	struct numbered batches[6] = { 0 };
	struct store_committer *committer;
	struct fake_engine fake;
	unsigned answered = 0;

	(void)state;
	fake_begin(&fake);
	committer = store_committer_new(&fake.base, NULL);
	for (unsigned i = 0; i < 6; i++) {
		batches[i] = (struct numbered){ .number = i, .answered = &answered };
		push(committer, &batches[i], bytes[i]);
		if (i == 0)
			sem_wait(&fake.begun);
	}
	sem_post(&fake.go);
	store_committer_free(committer);
	assert_int_equal(fake.groups, 5);
	assert_memory_equal(fake.sizes, sizes, sizeof(sizes));
	assert_true(fake.first_bytes[3] == bytes[4]);
}

static void commits_groups_and_conflicts_are_counted(void **state)
{
	struct mx_metrics *metrics = mx_metrics_new();
	struct numbered batches[3] = { 0 };
	struct store_committer *committer;
	struct fake_engine fake;
	unsigned answered = 0;
	mx_str_auto page = { 0 };

	(void)state;
	fake_begin(&fake);
	committer = store_committer_new(&fake.base, metrics);
	for (unsigned i = 0; i < 3; i++) {
		batches[i] = (struct numbered){ .number = i, .answered = &answered };
		push(committer, &batches[i], i == 1 ? 13 : 1);
		if (i == 0)
			sem_wait(&fake.begun);
	}
	sem_post(&fake.go);
	store_committer_free(committer);
	mx_metrics_write(metrics, &page);
	assert_non_null(strstr(page.ptr, "trinity_store_commits_total 2\n"));
	assert_non_null(strstr(page.ptr, "trinity_store_groups_total 2\n"));
	assert_non_null(strstr(page.ptr, "trinity_store_conflicts_total 1\n"));
	assert_non_null(strstr(page.ptr, "trinity_store_commit_seconds_count 3\n"));
	mx_metrics_free(metrics);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_waits_is_one_group_of_at_most_256),
		cmocka_unit_test(a_group_has_a_limit_of_bytes_but_takes_one_large_batch),
		cmocka_unit_test(commits_groups_and_conflicts_are_counted),
	};
	return cmocka_run_group_tests_name("store/committer", tests, NULL, NULL);
}
