#include "tests/support/fetch_fixture.h"

#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/time.h"

const struct made_object fetch_fixture_object = {
	.server = "a.example",
	.valid_until_ts = DAY_ZERO + MX_DAY_MS,
	.keys = { { .id = "ed25519:1", .seed = 1 } },
};

static bool policy_any(void *ctx, struct mx_slice server)
{
	(void)ctx;
	return mx_slice_is(server, "any.example");
}

void fetch_fixture_open(struct fetch_fixture *fixture)
{
	const struct key_fetch_conf conf = {
		.history = fixture->history->history,
		.policy_any = policy_any,
		.metrics = fixture->history->metrics,
		.metrics_prefix = "test",
	};

	fixture->fetcher = key_fetcher_new(&conf);
}

int fetch_fixture_setup(void **state)
{
	struct fetch_fixture *fixture = mx_calloc(1, sizeof(*fixture));

	net_mock_reset();
	history_fixture_setup((void **)&fixture->history);
	sem_init(&fixture->ended, 0, 0);
	fetch_fixture_open(fixture);
	*state = fixture;
	return 0;
}

int fetch_fixture_teardown(void **state)
{
	struct fetch_fixture *fixture = *state;

	key_fetcher_free(fixture->fetcher);
	history_fixture_teardown((void **)&fixture->history);
	sem_destroy(&fixture->ended);
	mx_free(fixture);
	return 0;
}

void fetch_fixture_ended(void *ctx, int rc)
{
	struct fetch_fixture *fixture = ctx;

	fixture->last_rc = rc;
	fixture->calls++;
	sem_post(&fixture->ended);
}

int fetch_fixture_wait(struct fetch_fixture *fixture)
{
	sem_wait(&fixture->ended);
	return fixture->last_rc;
}

struct net_mock_answer fetch_fixture_answer(struct fetch_fixture *fixture,
					    const struct made_object *made)
{
	return (struct net_mock_answer){
		.status = 200,
		.body = key_fixture_text(made, fixture->history->mem),
		.address = "192.0.2.7",
		.certificate = "c0ffee",
		.took_ms = 40,
	};
}

int fetch_fixture_fetch(struct fetch_fixture *fixture, const char *server,
			const struct net_mock_answer *answer)
{
	key_fetch(fixture->fetcher, mx_slice(server), false, fetch_fixture_ended, fixture);
	net_mock_reply(server, answer);
	return fetch_fixture_wait(fixture);
}

void fetch_fixture_knows_nothing(struct fetch_fixture *fixture, const char *server)
{
	struct key_entry *entry = history_fixture_load(fixture->history, server);

	assert_int_equal(entry->len, 0);
	key_entry_unref(entry);
}
