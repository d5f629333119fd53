#include "tests/support/history_fixture.h"

#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/log.h"
#include "shared/core/metrics.h"
#include "shared/core/str.h"
#include "shared/core/time.h"

const struct made_object history_first = {
	.server = "a.example",
	.valid_until_ts = DAY_ZERO + MX_DAY_MS,
	.keys = { { .id = "ed25519:1", .seed = 1 } },
};

const struct made_object history_reused = {
	.server = "a.example",
	.valid_until_ts = DAY_ZERO + 2 * MX_DAY_MS,
	.keys = { { .id = "ed25519:new", .seed = 7 }, { .id = "ed25519:1", .seed = 8 } },
};

static int seal(void *ctx, const struct key_object *object, struct mx_str *out,
		struct mx_error *err)
{
	struct history_fixture *fixture = ctx;

	(void)err;
	__atomic_fetch_add(&fixture->seals, 1, __ATOMIC_RELAXED);
	mx_str_addf(out, "%s ", fixture->seal_id);
	mx_str_add_slice(out, object->bytes);
	return 0;
}

static void open_history(struct history_fixture *fixture)
{
	const struct key_history_conf conf = {
		.store = fixture->store,
		.cache_bytes = fixture->cache_bytes,
		.seal = seal,
		.seal_ctx = fixture,
		.seal_id = mx_slice(fixture->seal_id),
		.metrics = fixture->metrics,
		.metrics_prefix = "test",
	};

	assert_int_equal(key_history_new(&conf, &fixture->history, NULL), 0);
}

int history_fixture_setup(void **state)
{
	struct history_fixture *fixture = mx_calloc(1, sizeof(*fixture));

	mx_log_setup(MX_LOG_ERROR, MX_LOG_TEXT); /* refusals are what these tests are for */
	fixture->store = store_fixture_open(key_history_tables);
	fixture->mem = mx_arena_new(0);
	fixture->metrics = mx_metrics_new();
	fixture->now_ms = DAY_ZERO;
	fixture->seal_id = "one";
	fixture->cache_bytes = 4u * 1024 * 1024;
	history_fixture_pass(fixture, 0);
	open_history(fixture);
	*state = fixture;
	return 0;
}

int history_fixture_teardown(void **state)
{
	struct history_fixture *fixture = *state;

	key_history_free(fixture->history);
	store_close(fixture->store);
	mx_arena_free(fixture->mem);
	mx_metrics_free(fixture->metrics);
	mx_free(fixture);
	mx_time_fake(-1, -1);
	return 0;
}

void history_fixture_pass(struct history_fixture *fixture, int64_t ms)
{
	fixture->now_ms += ms;
	mx_time_fake(fixture->now_ms, fixture->now_ms);
}

void history_fixture_restart(struct history_fixture *fixture)
{
	key_history_free(fixture->history);
	mx_metrics_free(fixture->metrics);
	fixture->metrics = mx_metrics_new();
	open_history(fixture);
}

int history_fixture_record_from(struct history_fixture *fixture, const struct made_object *made,
				const char *source, struct key_recorded *ret_recorded)
{
	const struct key_object object = key_fixture_object(made, fixture->mem);
	const struct key_source from = { .source = source, .address = "192.0.2.1" };

	*ret_recorded = (struct key_recorded){ 0 };
	return key_history_record(fixture->history, &object, &from, ret_recorded, NULL);
}

struct key_recorded history_fixture_record(struct history_fixture *fixture,
					   const struct made_object *made)
{
	struct key_recorded recorded;

	assert_int_equal(history_fixture_record_from(fixture, made, "origin", &recorded), 0);
	return recorded;
}

struct key_entry *history_fixture_load(struct history_fixture *fixture, const char *server)
{
	struct key_entry *entry;

	assert_int_equal(key_history_load(fixture->history, mx_slice(server), &entry, NULL), 0);
	return entry;
}

int64_t history_fixture_metric(struct history_fixture *fixture, const char *line)
{
	mx_str_auto page = { 0 };
	mx_str_auto start = { 0 };
	const char *at;
	int64_t value;

	mx_metrics_write(fixture->metrics, &page);
	mx_str_addf(&start, "\n%s ", line);
	at = strstr(page.ptr, start.ptr);
	if (!at)
		return -1;
	at += start.len;
	return mx_parse_i64(mx_slice_of(at, strcspn(at, "\n")), &value) ? value : -1;
}

struct made_object history_renewed(const struct made_object *made, int64_t by_ms)
{
	struct made_object later = *made;

	later.valid_until_ts += by_ms;
	return later;
}
