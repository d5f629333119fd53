/* wrap: net_start net_fetch */
#include "shared/keys/key_ring.h"

#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/keys/key_fetch.h"
#include "tests/support/history_fixture.h"
#include "tests/support/net_mock.h"

#define DAY  MX_DAY_MS
#define A    MX_SLICE("a.example")
#define KEY1 MX_SLICE("ed25519:1")

/* The network of these tests: what the origin says, and what each of two notaries says. */
struct fixture {
	struct history_fixture *history;
	struct key_fetcher *fetcher;
	struct key_ring *ring;
	struct mx_slice origin, notary[2]; /* empty: not reachable */
	unsigned origin_asked, notary_asked[2];
	char question[512];
};

static const struct made_object object = {
	.server = "a.example",
	.valid_until_ts = DAY_ZERO + DAY,
	.keys = { { .id = "ed25519:1", .seed = 1 } },
};

static const struct made_key notary_key = { .id = "ed25519:n", .seed = 50 };
static const struct made_key stranger_key = { .id = "ed25519:n", .seed = 51 };

static struct net_mock_answer say(struct mx_slice body)
{
	if (body.len == 0)
		return (struct net_mock_answer){ .rc = -MX_REMOTE_FAILED };
	return (struct net_mock_answer){ .status = 200, .body = body, .address = "192.0.2.1" };
}

static struct net_mock_answer answer(void *ctx, const struct net_mock_request *request)
{
	struct fixture *f = ctx;

	if (strcmp(request->target, "/_matrix/key/v2/server") == 0) {
		f->origin_asked++;
		return say(f->origin);
	}
	assert_string_equal(request->target, "/_matrix/key/v2/query");
	assert_string_equal(request->method, "POST");
	snprintf(f->question, sizeof(f->question), "%.*s", MX_SLICE_ARG(request->body));
	for (int i = 0; i < 2; i++)
		if (request->server[1] == '1' + i) {
			f->notary_asked[i]++;
			return say(f->notary[i]);
		}
	fail_msg("nobody knows %s", request->server);
	return say(MX_SLICE(""));
}

/* n1.example has a known key; n2.example is trusted for its TLS alone. */
static struct key_notary notaries[2] = {
	{ .server = "n1.example", .keys = { { .id = "ed25519:n" } }, .keys_len = 1 },
	{ .server = "n2.example" },
};

static int setup(void **state)
{
	struct fixture *f = mx_calloc(1, sizeof(*f));

	net_mock_reset();
	net_mock_handle(answer, f);
	history_fixture_setup((void **)&f->history);
	key_fixture_public(notary_key.seed, notaries[0].keys[0].public_key);
	f->fetcher = key_fetcher_new(&(struct key_fetch_conf){ .history = f->history->history });
	f->ring = key_ring_new(&(struct key_ring_conf){ .history = f->history->history,
							.fetcher = f->fetcher,
							.notaries = notaries,
							.notaries_len = 2 });
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	key_ring_free(f->ring);
	key_fetcher_free(f->fetcher);
	history_fixture_teardown((void **)&f->history);
	mx_free(f);
	return 0;
}

#define ring_test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

static struct mx_slice notary_says(struct fixture *f, struct mx_slice text)
{
	struct mx_arena *mem = f->history->mem;

	return mx_slice(mx_arena_strf(mem, "{\"server_keys\":[%.*s]}", MX_SLICE_ARG(text)));
}

/* What a notary with a key answers for `made`. */
static struct mx_slice countersigned(struct fixture *f, const struct made_object *made,
				     const struct made_key *by)
{
	struct mx_arena *mem = f->history->mem;

	return notary_says(
		f, key_fixture_countersigned(key_fixture_text(made, mem), "n1.example", by, mem));
}

struct question {
	const char *key_id;
	int64_t at_ms;
	bool for_request;
};

static int find(struct fixture *f, struct question q)
{
	uint8_t public_key[32], expected[32];
	int rc = key_ring_find(f->ring, A, mx_slice(q.key_id), q.at_ms, q.for_request, public_key,
			       NULL);

	if (rc == 0) { /* "ed25519:N" has the seed N */
		key_fixture_public((uint8_t)(q.key_id[8] - '0'), expected);
		assert_memory_equal(public_key, expected, 32);
	}
	return rc;
}

static int find_now(struct fixture *f, const char *key_id)
{
	return find(f, (struct question){ key_id, f->history->now_ms, true });
}

/* ---- where keys come from */

static void a_known_key_needs_no_network(void **state)
{
	struct fixture *f = *state;

	history_fixture_record(f->history, &object);
	assert_int_equal(find_now(f, "ed25519:1"), 0);
	history_fixture_restart(f->history); /* … nor memory */
	key_ring_free(f->ring);
	f->ring = key_ring_new(
		&(struct key_ring_conf){ .history = f->history->history, .fetcher = f->fetcher });
	assert_int_equal(find_now(f, "ed25519:1"), 0);
	assert_int_equal(net_mock_asked(), 0);
}

static void an_unknown_key_is_asked_of_its_origin(void **state)
{
	struct fixture *f = *state;

	f->origin = key_fixture_text(&object, f->history->mem);
	assert_int_equal(find_now(f, "ed25519:1"), 0);
	assert_int_equal(f->origin_asked, 1);
	assert_int_equal(f->notary_asked[0] + f->notary_asked[1], 0);
	assert_int_equal(find_now(f, "ed25519:1"), 0);
	assert_int_equal(f->origin_asked, 1);
}

static void a_dead_origins_key_comes_from_a_notary(void **state)
{
	struct fixture *f = *state;
	struct key_entry *entry;

	f->notary[0] = countersigned(f, &object, &notary_key);
	assert_int_equal(find_now(f, "ed25519:1"), 0);
	assert_string_equal(f->question, "{\"server_keys\":{\"a.example\":{\"ed25519:1\":"
					 "{\"minimum_valid_until_ts\":1700000000000}}}}");
	assert_int_equal(f->notary_asked[1], 0); /* the first one had it */
	entry = history_fixture_load(f->history, "a.example");
	assert_true(mx_slice_is(entry->versions[0].source, "notary:n1.example"));
	key_entry_unref(entry);
}

static void a_notary_must_have_signed_with_its_known_key(void **state)
{
	struct fixture *f = *state;
	struct key_entry *entry;

	f->notary[0] = countersigned(f, &object, &stranger_key);
	assert_int_equal(find_now(f, "ed25519:1"), -MX_NOT_FOUND);
	entry = history_fixture_load(f->history, "a.example");
	assert_int_equal(entry->len, 0);
	key_entry_unref(entry);
	history_fixture_pass(f->history, 61 * MX_SECOND_MS);
	f->notary[0] = notary_says(f, key_fixture_text(&object, f->history->mem));
	assert_int_equal(find_now(f, "ed25519:1"), -MX_NOT_FOUND);
	history_fixture_pass(f->history, 61 * MX_SECOND_MS);
	f->notary[1] = f->notary[0]; /* whose TLS is enough */
	assert_int_equal(find_now(f, "ed25519:1"), 0);
}

static void a_notary_cannot_speak_for_an_unsigned_origin(void **state)
{
	struct fixture *f = *state;
	struct made_object half = object;

	half.keys[1] = (struct made_key){ .id = "ed25519:2", .seed = 2, .silent = true };
	f->notary[0] = countersigned(f, &half, &notary_key);
	f->notary[1] = notary_says(f, MX_SLICE("{\"server_name\":\"a.example\"},7"));
	assert_int_equal(find_now(f, "ed25519:1"), -MX_NOT_FOUND);
	assert_int_equal(f->notary_asked[1], 1);
}

static void broken_answers_of_notaries_are_no_answers(void **state)
{
	static const char *const texts[] = { "", "{", "[]", "{\"server_keys\":{}}", "7" };
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		f->notary[0] = mx_slice(texts[i]);
		assert_int_equal(find_now(f, "ed25519:1"), -MX_REMOTE_FAILED);
		history_fixture_pass(f->history, 2 * MX_HOUR_MS);
	}
	f->notary[0] = MX_SLICE("{\"server_keys\":[]}");
	assert_int_equal(find_now(f, "ed25519:1"), -MX_NOT_FOUND);
}

static void a_key_made_up_by_a_peer_costs_little(void **state)
{
	struct fixture *f = *state;

	f->origin = key_fixture_text(&object, f->history->mem);
	f->notary[0] = f->notary[1] = MX_SLICE("{\"server_keys\":[]}");
	for (int i = 0; i < 100; i++)
		assert_int_equal(find_now(f, "ed25519:9"), -MX_NOT_FOUND);
	assert_int_equal(f->origin_asked, 5);
	assert_int_equal(f->notary_asked[0], 1);
	assert_int_equal(f->notary_asked[1], 1);
}

/* ---- which times a key is good for */

static void a_key_serves_up_to_its_validity(void **state)
{
	struct fixture *f = *state;
	const int64_t until_ms = object.valid_until_ts;

	history_fixture_record(f->history, &object);
	assert_int_equal(find(f, (struct question){ "ed25519:1", until_ms, false }), 0);
	assert_int_equal(find(f, (struct question){ "ed25519:1", 0, false }), 0);
	assert_int_equal(find(f, (struct question){ "ed25519:1", until_ms + 1, false }),
			 -MX_REMOTE_FAILED);
}

static void nobody_is_trusted_for_more_than_seven_days(void **state)
{
	struct fixture *f = *state;
	struct made_object far = object;

	far.valid_until_ts += 3650 * DAY;
	f->origin = key_fixture_text(&far, f->history->mem);
	history_fixture_record(f->history, &far);
	history_fixture_pass(f->history, 7 * DAY);
	assert_int_equal(find_now(f, "ed25519:1"), 0);
	assert_int_equal(f->origin_asked, 0);
	history_fixture_pass(f->history, 1);
	assert_int_equal(find_now(f, "ed25519:1"), 0); /* it still says so */
	assert_int_equal(f->origin_asked, 1);
	assert_int_equal(find_now(f, "ed25519:1"), 0);
	assert_int_equal(f->origin_asked, 1);
}

static void an_old_key_serves_events_up_to_its_expiry_and_no_request(void **state)
{
	struct fixture *f = *state;
	const struct made_object retired = {
		.server = "a.example",
		.valid_until_ts = DAY_ZERO + DAY,
		.keys = { { .id = "ed25519:2", .seed = 2 },
			  { .id = "ed25519:1", .seed = 1, .expired_ts = DAY_ZERO - DAY } },
	};

	f->origin = key_fixture_text(&retired, f->history->mem);
	history_fixture_record(f->history, &retired);
	assert_int_equal(find(f, (struct question){ "ed25519:1", DAY_ZERO - DAY, false }), 0);
	assert_int_equal(find(f, (struct question){ "ed25519:1", DAY_ZERO - DAY + 1, false }),
			 -MX_NOT_FOUND);
	assert_int_equal(find(f, (struct question){ "ed25519:1", DAY_ZERO - 2 * DAY, true }),
			 -MX_NOT_FOUND);
	assert_int_equal(find_now(f, "ed25519:2"), 0);
}

static void a_dead_server_with_stale_keys_could_not_be_asked(void **state)
{
	struct fixture *f = *state;

	history_fixture_record(f->history, &object);
	history_fixture_pass(f->history, 2 * DAY);
	assert_int_equal(find_now(f, "ed25519:1"), -MX_REMOTE_FAILED);
	assert_int_equal(find(f, (struct question){ "ed25519:1", DAY_ZERO, false }), 0);
}

static void a_look_without_the_network_says_when_it_is_needed(void **state)
{
	struct fixture *f = *state;
	uint8_t public_key[32];

	assert_int_equal(key_ring_peek(f->ring, A, KEY1, DAY_ZERO, true, public_key, NULL),
			 -MX_MOVE_NET);
	history_fixture_record(f->history, &object);
	assert_int_equal(key_ring_peek(f->ring, A, KEY1, DAY_ZERO, true, public_key, NULL), 0);
	assert_int_equal(
		key_ring_peek(f->ring, A, MX_SLICE("ed25519:2"), DAY_ZERO, true, public_key, NULL),
		-MX_MOVE_NET);
	assert_int_equal(net_mock_asked(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ring_test(a_known_key_needs_no_network),
		ring_test(an_unknown_key_is_asked_of_its_origin),
		ring_test(a_dead_origins_key_comes_from_a_notary),
		ring_test(a_notary_must_have_signed_with_its_known_key),
		ring_test(a_notary_cannot_speak_for_an_unsigned_origin),
		ring_test(broken_answers_of_notaries_are_no_answers),
		ring_test(a_key_made_up_by_a_peer_costs_little),
		ring_test(a_key_serves_up_to_its_validity),
		ring_test(nobody_is_trusted_for_more_than_seven_days),
		ring_test(an_old_key_serves_events_up_to_its_expiry_and_no_request),
		ring_test(a_dead_server_with_stale_keys_could_not_be_asked),
		ring_test(a_look_without_the_network_says_when_it_is_needed),
	};
	return cmocka_run_group_tests_name("keys/key_ring", tests, NULL, NULL);
}
