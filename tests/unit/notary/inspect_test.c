/* wrap: net_start net_fetch */
#include "notary/inspect.h"

#include "notary/trust.h"
#include "shared/core/time.h"
#include "shared/json/json.h"
#include "shared/keys/key_fetch.h"
#include "tests/support/notary_fixture.h"

static const struct made_object first = {
	.server = "a.example",
	.valid_until_ts = NOTARY_NOW + MX_DAY_MS,
	.keys = { { .id = "ed25519:1", .seed = 1 } },
};
static const struct made_object second = {
	.server = "a.example",
	.valid_until_ts = NOTARY_NOW + 2 * MX_DAY_MS,
	.keys = { { .id = "ed25519:2", .seed = 2 },
		  { .id = "ed25519:1", .seed = 1, .expired_ts = NOTARY_NOW } },
};
static const struct made_object reused = {
	.server = "a.example",
	.valid_until_ts = NOTARY_NOW + MX_DAY_MS,
	.keys = { { .id = "ed25519:1", .seed = 9 } },
};

static json_t *shown(struct notary_fixture *f, const char *server)
{
	json_t *json;

	assert_int_equal(inspect_server(&f->notary, mx_slice(server), &json, NULL), 0);
	return json;
}

static const json_t *version(const json_t *json, size_t i)
{
	return json_array_get(jarr(json, "versions"), i);
}

static void ignore(void *ctx, int rc)
{
	(void)ctx;
	(void)rc;
}

static void a_stranger_has_no_history(void **state)
{
	json_auto_t *json = shown(*state, "never.example");

	assert_string_equal(jstr(json, "server"), "never.example");
	assert_true(jbool(json, "allowed", false));
	assert_int_equal(json_array_size(jarr(json, "versions")), 0);
	assert_int_equal(json_array_size(jarr(json, "conflicts")), 0);
	assert_true(json_is_null(json_object_get(json, "decision")));
	assert_true(json_is_null(json_object_get(json, "fetch")));
}

static void every_set_of_keys_has_its_times_and_its_source(void **state)
{
	struct notary_fixture *f = *state;
	json_auto_t *json = NULL;
	const json_t *old;

	notary_fixture_record(f, &first);
	notary_fixture_pass(f, 3 * MX_HOUR_MS);
	notary_fixture_record(f, &second);
	json = shown(f, "a.example");
	assert_int_equal(jint(version(json, 0), "first_seen_ts", 0), NOTARY_NOW);
	assert_int_equal(jint(version(json, 1), "first_seen_ts", 0), NOTARY_NOW + 3 * MX_HOUR_MS);
	assert_int_equal(jint(version(json, 1), "valid_until_ts", 0), second.valid_until_ts);
	assert_string_equal(jstr(version(json, 0), "source"), "origin");
	assert_string_equal(jstr(version(json, 0), "address"), "192.0.2.1");
	old = json_array_get(jarr(version(json, 1), "keys"), 1);
	assert_string_equal(jstr(old, "id"), "ed25519:1");
	assert_int_equal(jint(old, "expired_ts", 0), NOTARY_NOW);
	assert_int_equal(json_string_length(json_object_get(old, "public_key")), 43);
}

static void decisions_are_shown_with_what_they_do(void **state)
{
	struct notary_fixture *f = *state;
	json_auto_t *json = NULL;
	uint8_t public_key[32];

	notary_fixture_record(f, &first);
	notary_fixture_record(f, &second);
	key_fixture_public(2, public_key);
	assert_int_equal(trust_pin(f->notary.trust, MX_SLICE("a.example"), MX_SLICE("ed25519:2"),
				   public_key, "only this", NULL),
			 0);
	json = shown(f, "a.example");
	assert_string_equal(jstr(jobj(json, "decision"), "reason"), "only this");
	assert_false(jbool(version(json, 0), "served", true));
	assert_true(jbool(version(json, 1), "served", false));
	assert_int_equal(trust_deny(f->notary.trust, MX_SLICE("a.example"), "no more", NULL), 0);
	json_decref(json);
	json = shown(f, "a.example");
	assert_false(jbool(json, "allowed", true));
}

static void conflicts_of_this_server_only_are_shown(void **state)
{
	struct notary_fixture *f = *state;
	json_auto_t *json = NULL, *other = NULL;
	const json_t *conflict;

	notary_fixture_record(f, &first);
	notary_fixture_record(f, &reused);
	notary_fixture_record(f, &reused);
	json = shown(f, "a.example");
	other = shown(f, "b.example");
	conflict = json_array_get(jarr(json, "conflicts"), 0);
	assert_string_equal(jstr(conflict, "key_id"), "ed25519:1");
	assert_int_equal(jint(conflict, "count", 0), 2);
	assert_string_not_equal(jstr(conflict, "kept"), jstr(conflict, "refused"));
	assert_int_equal(json_array_size(jarr(other, "conflicts")), 0);
}

static void a_failed_fetch_is_told_with_its_reason(void **state)
{
	struct notary_fixture *f = *state;
	json_auto_t *json = NULL;
	const json_t *fetch;

	key_fetch(f->notary.fetcher, MX_SLICE("a.example"), false, ignore, NULL);
	notary_fixture_fail(f, "a.example");
	json = shown(f, "a.example");
	fetch = jobj(json, "fetch");
	assert_string_equal(jstr(fetch, "last_result"), "REMOTE_FAILED");
	assert_int_equal(jint(fetch, "failures", 0), 1);
	assert_int_equal(jint(fetch, "last_try_ts", 0), NOTARY_NOW);
	assert_int_equal(jint(fetch, "last_success_ts", -1), 0);
	assert_true(jint(fetch, "backed_off_until_ts", 0) > NOTARY_NOW);
}

static void a_good_fetch_shows_the_peer(void **state)
{
	struct notary_fixture *f = *state;
	json_auto_t *json = NULL;

	key_fetch(f->notary.fetcher, MX_SLICE("a.example"), false, ignore, NULL);
	notary_fixture_reply(f, &first);
	json = shown(f, "a.example");
	assert_string_equal(jstr(version(json, 0), "address"), "192.0.2.7");
	assert_string_equal(jstr(version(json, 0), "certificate_sha256"), "c0ffee");
	assert_int_equal(jint(jobj(json, "fetch"), "last_success_ts", 0), NOTARY_NOW);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		notary_test(a_stranger_has_no_history),
		notary_test(every_set_of_keys_has_its_times_and_its_source),
		notary_test(decisions_are_shown_with_what_they_do),
		notary_test(conflicts_of_this_server_only_are_shown),
		notary_test(a_failed_fetch_is_told_with_its_reason),
		notary_test(a_good_fetch_shows_the_peer),
	};

	return cmocka_run_group_tests_name("notary/inspect", tests, NULL, NULL);
}
