#include "tests/support/notary_fixture.h"

#include "notary/alarm.h"
#include "notary/budget.h"
#include "notary/refresh.h"
#include "notary/seal.h"
#include "notary/trust.h"
#include "notary/warm.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/log.h"
#include "shared/core/metrics.h"
#include "shared/core/time.h"
#include "shared/crypto/ed25519.h"
#include "shared/keys/key_fetch.h"
#include "shared/keys/own_keys.h"

#include <sched.h>

#define TABLES_MAX 16

const struct made_object notary_first = {
	.server = "a.example",
	.valid_until_ts = NOTARY_NOW + MX_HOUR_MS,
	.keys = { MADE_KEY_1 },
};
const struct made_object notary_second = {
	.server = "a.example",
	.valid_until_ts = NOTARY_NOW + MX_DAY_MS,
	.keys = { MADE_KEY_2 },
};

static void must(int rc, const struct mx_error *err)
{
	if (rc)
		fail_msg("%s", mx_error_text(err, rc));
}

static struct store *open_store(void)
{
	const struct store_table *tables[TABLES_MAX] = { &trust_table, &refresh_table };

	for (size_t i = 0; key_history_tables[i]; i++)
		tables[i + 2] = key_history_tables[i];
	return store_fixture_open(tables);
}

static void open_own_keys(struct notary_fixture *f)
{
	const struct own_keys_conf conf = {
		.server_name = NOTARY_NAME,
		.signing_file = mx_arena_strf(f->mem, "%s/signing.key", f->directory),
		.validity_ms = MX_DAY_MS,
	};
	struct mx_error err = { 0 };

	must(own_keys_new(&conf, &f->notary.own, &err), &err);
	must(seal_new(
		     &(struct seal_conf){ f->notary.own, mx_arena_strf(f->mem, "%s/countersign.key",
								       f->directory) },
		     &f->notary.seal, &err),
	     &err);
}

static void open_history(struct notary_fixture *f)
{
	const struct key_history_conf history = {
		.store = f->notary.store,
		.seal = seal_object,
		.seal_ctx = f->notary.seal,
		.seal_id = seal_id(f->notary.seal),
		.prepared_free = warm_free,
	};
	struct mx_error err = { 0 };

	must(key_history_new(&history, &f->notary.history, &err), &err);
	f->notary.fetcher = key_fetcher_new(&(struct key_fetch_conf){
		.history = f->notary.history,
	});
}

static void open_modules(struct notary_fixture *f)
{
	const struct budget_conf budget = { 3, 60, 5, 600 };
	struct mx_error err = { 0 };

	open_own_keys(f);
	must(trust_new(f->notary.store, &(struct trust_lists){ 0 }, &f->notary.trust, &err), &err);
	open_history(f);
	f->notary.budget = budget_new(&budget);
	f->notary.alarm = alarm_new(&f->notary, NULL);
	must(refresh_new(&f->notary, &f->notary.refresh, &err), &err);
}

int notary_fixture_setup(void **state)
{
	struct notary_fixture *f = mx_calloc(1, sizeof(*f));

	mx_crypto_init();
	mx_log_setup(MX_LOG_ERROR, MX_LOG_TEXT);
	net_mock_reset();
	notary_fixture_pass(f, NOTARY_NOW);
	f->mem = mx_arena_new(0);
	f->directory = store_fixture_directory();
	f->conf.server_name = mx_arena_strdup(f->mem, NOTARY_NAME);
	f->conf.query.deadline_ms = 9000;
	f->conf.refresh.days = 30;
	f->notary.conf = &f->conf;
	f->notary.metrics = mx_metrics_new();
	f->notary.store = open_store();
	open_modules(f);
	*state = f;
	return 0;
}

int notary_fixture_teardown(void **state)
{
	struct notary_fixture *f = *state;

	key_fetcher_free(f->notary.fetcher);
	net_mock_stop();
	refresh_free(f->notary.refresh);
	alarm_free(f->notary.alarm);
	budget_free(f->notary.budget);
	key_history_free(f->notary.history);
	trust_free(f->notary.trust);
	seal_free(f->notary.seal);
	own_keys_free(f->notary.own);
	store_close(f->notary.store);
	mx_metrics_free(f->notary.metrics);
	store_fixture_directory_remove(f->directory);
	mx_arena_free(f->mem);
	mx_free(f);
	mx_time_fake(-1, -1);
	return 0;
}

void notary_fixture_pass(struct notary_fixture *f, int64_t ms)
{
	f->now_ms += ms;
	mx_time_fake(f->now_ms, f->now_ms);
}

void notary_fixture_restart_refresh(struct notary_fixture *f)
{
	struct mx_error err = { 0 };

	refresh_free(f->notary.refresh);
	must(refresh_new(&f->notary, &f->notary.refresh, &err), &err);
}

void notary_fixture_record(struct notary_fixture *f, const struct made_object *made)
{
	const struct key_object object = key_fixture_object(made, f->mem);
	const struct key_source from = { .source = "origin", .address = "192.0.2.1" };
	struct key_recorded recorded;
	struct mx_error err = { 0 };

	must(key_history_record(f->notary.history, &object, &from, &recorded, &err), &err);
}

void notary_fixture_settle(struct notary_fixture *f)
{
	while (key_fetch_in_flight(f->notary.fetcher) > net_mock_waiting())
		sched_yield();
}

void notary_fixture_reply(struct notary_fixture *f, const struct made_object *made)
{
	const struct net_mock_answer answer = {
		.status = 200,
		.body = key_fixture_text(made, f->mem),
		.address = "192.0.2.7",
		.certificate = "c0ffee",
	};

	assert_true(net_mock_reply(made->server, &answer));
	notary_fixture_settle(f);
}

void notary_fixture_fail(struct notary_fixture *f, const char *server)
{
	const struct net_mock_answer answer = { .rc = -MX_REMOTE_FAILED };

	assert_true(net_mock_reply(server, &answer));
	notary_fixture_settle(f);
}

const char *notary_fixture_file(struct notary_fixture *f, const char *name, const char *text)
{
	char *path = mx_arena_strf(f->mem, "%s/%s", f->directory, name);

	store_fixture_file(path, text);
	return path;
}

struct key_entry *notary_fixture_load(struct notary_fixture *f, const char *server)
{
	struct key_entry *entry;

	assert_int_equal(key_history_load(f->notary.history, mx_slice(server), &entry, NULL), 0);
	return entry;
}
