#include "shared/core/lru.h"

#include "shared/core/alloc.h"
#include "shared/core/rand.h"
#include "shared/core/str.h"
#include "shared/core/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void put(struct mx_lru *lru, const char *key, size_t cost)
{
	mx_lru_put(lru, mx_slice(key), mx_strdup(key), cost);
}

static void the_least_recently_used_goes_first(void **state)
{
	struct mx_lru *lru = mx_lru_new(3, 0, mx_free);

	(void)state;
	put(lru, "a", 1);
	put(lru, "b", 1);
	put(lru, "c", 1);
	assert_non_null(mx_lru_find(lru, MX_SLICE("a")));
	put(lru, "d", 1);
	assert_null(mx_lru_find(lru, MX_SLICE("b")));
	assert_string_equal(mx_lru_find(lru, MX_SLICE("a")), "a");
	assert_int_equal(mx_lru_len(lru), 3);
	mx_lru_free(lru);
}

static void a_value_past_its_age_is_gone(void **state)
{
	struct mx_lru *lru = mx_lru_new(3, 1000, mx_free);

	(void)state;
	mx_time_fake(0, 5000);
	put(lru, "a", 1);
	mx_time_fake(0, 6000);
	assert_non_null(mx_lru_find(lru, MX_SLICE("a")));
	mx_time_fake(0, 6001);
	assert_null(mx_lru_find(lru, MX_SLICE("a")));
	assert_int_equal(mx_lru_cost(lru), 0);
	mx_time_fake(-1, -1);
	mx_lru_free(lru);
}

static void append_key(void *ctx, struct mx_slice key, void *value)
{
	assert_true(mx_slice_is(key, value));
	mx_str_add_slice(ctx, key);
}

static void a_visit_goes_from_the_newest_to_the_oldest(void **state)
{
	struct mx_lru *lru = mx_lru_new(9, 0, mx_free);
	mx_str_auto seen = { 0 };

	(void)state;
	put(lru, "a", 1);
	put(lru, "b", 1);
	put(lru, "c", 1);
	mx_lru_find(lru, MX_SLICE("a"));
	mx_lru_each(lru, append_key, &seen);
	assert_true(mx_slice_is(mx_str_slice(&seen), "acb"));
	mx_lru_free(lru);
}

static int freed;

static void count_free(void *value)
{
	freed++;
	mx_free(value);
}

static void a_value_is_freed_when_it_leaves(void **state)
{
	struct mx_lru *lru = mx_lru_new(2, 0, count_free);

	(void)state;
	freed = 0;
	put(lru, "a", 1);
	put(lru, "a", 1);
	assert_int_equal(freed, 1);
	put(lru, "b", 1);
	put(lru, "c", 1);
	assert_int_equal(freed, 2);
	mx_lru_remove(lru, MX_SLICE("c"));
	mx_lru_remove(lru, MX_SLICE("c"));
	assert_int_equal(freed, 3);
	mx_lru_clear(lru);
	assert_int_equal(freed, 4);
	assert_int_equal(mx_lru_len(lru), 0);
	mx_lru_free(lru);
	mx_lru_free(NULL);
	assert_int_equal(freed, 4);
}

static void what_costs_more_than_all_does_not_stay(void **state)
{
	struct mx_lru *lru = mx_lru_new(10, 0, mx_free);

	(void)state;
	put(lru, "small", 1);
	put(lru, "huge", 11);
	assert_null(mx_lru_find(lru, MX_SLICE("huge")));
	assert_int_equal(mx_lru_cost(lru), 0);
	mx_lru_free(lru);
}

/* ---- against a list of what must be there, the newest last */

#define KEYS     12
#define COST_MAX 20

struct model {
	struct mx_lru *lru;
	struct {
		unsigned key;
		size_t cost;
	} rows[KEYS];
	size_t len, cost;
};

static struct mx_slice key_of(unsigned key, char text[4])
{
	text[0] = (char)('a' + key);
	text[1] = '\0';
	return mx_slice(text);
}

static bool model_take(struct model *model, unsigned key, size_t *ret_cost)
{
	for (size_t i = 0; i < model->len; i++) {
		if (model->rows[i].key != key)
			continue;
		*ret_cost = model->rows[i].cost;
		model->cost -= *ret_cost;
		model->len--;
		memmove(&model->rows[i], &model->rows[i + 1],
			(model->len - i) * sizeof(model->rows[0]));
		return true;
	}
	return false;
}

static void model_append(struct model *model, unsigned key, size_t cost)
{
	size_t dropped;

	model->rows[model->len].key = key;
	model->rows[model->len++].cost = cost;
	model->cost += cost;
	while (model->cost > COST_MAX)
		model_take(model, model->rows[0].key, &dropped);
}

static void random_step(struct model *model)
{
	unsigned key = mx_random_below(KEYS);
	size_t cost = mx_random_below(8);
	char text[4];
	struct mx_slice name = key_of(key, text);

	switch (mx_random_below(4)) {
	case 0:
		mx_lru_remove(model->lru, name);
		model_take(model, key, &cost);
		break;
	case 1:
		if (model_take(model, key, &cost)) {
			assert_string_equal(mx_lru_find(model->lru, name), text);
			model_append(model, key, cost);
		} else {
			assert_null(mx_lru_find(model->lru, name));
		}
		break;
	default:
		put(model->lru, text, cost);
		model_take(model, key, &(size_t){ 0 });
		model_append(model, key, cost);
	}
}

static void random_operations_agree_with_a_list(void **state)
{
	struct model model = { .lru = mx_lru_new(COST_MAX, 0, mx_free) };

	(void)state;
	for (int i = 0; i < 20000; i++) {
		mx_str_auto seen = { 0 };

		random_step(&model);
		assert_int_equal(mx_lru_len(model.lru), model.len);
		assert_int_equal(mx_lru_cost(model.lru), model.cost);
		assert_true(model.cost <= COST_MAX);
		mx_lru_each(model.lru, append_key, &seen);
		for (size_t j = 0; j < model.len; j++)
			assert_int_equal(seen.ptr[model.len - 1 - j], 'a' + model.rows[j].key);
	}
	mx_lru_free(model.lru);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_least_recently_used_goes_first),
		cmocka_unit_test(a_value_past_its_age_is_gone),
		cmocka_unit_test(a_visit_goes_from_the_newest_to_the_oldest),
		cmocka_unit_test(a_value_is_freed_when_it_leaves),
		cmocka_unit_test(what_costs_more_than_all_does_not_stay),
		cmocka_unit_test(random_operations_agree_with_a_list),
	};
	return cmocka_run_group_tests_name("core/lru", tests, NULL, NULL);
}
