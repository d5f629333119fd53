/* wrap: net_start net_fetch */
#include "notary/trust.h"

#include "shared/core/error.h"
#include "shared/core/time.h"
#include "shared/json/json.h"
#include "tests/support/notary_fixture.h"

#define A MX_SLICE("a.example")
#define B MX_SLICE("b.example")

static uint8_t key_one[32], key_two[32];

static const struct made_object object = {
	.server = "a.example",
	.valid_until_ts = NOTARY_NOW + MX_DAY_MS,
	.keys = { { .id = "ed25519:1", .seed = 1 },
		  { .id = "ed25519:0", .seed = 2, .expired_ts = NOTARY_NOW - MX_DAY_MS } },
};

static struct trust *trust_of(void **state)
{
	struct notary_fixture *f = *state;

	return f->notary.trust;
}

/* The decisions as the next start reads them. */
static struct trust *stored(void **state)
{
	struct notary_fixture *f = *state;
	struct trust *trust = NULL;

	assert_int_equal(trust_new(f->notary.store, &(struct trust_lists){ 0 }, &trust, NULL), 0);
	return trust;
}

static bool fits(void **state, struct mx_slice server)
{
	struct notary_fixture *f = *state;
	struct key_entry *entry;
	bool served;

	notary_fixture_record(f, &object);
	entry = notary_fixture_load(f, "a.example");
	served = trust_fits_pins(f->notary.trust, server, &entry->versions[0]);
	key_entry_unref(entry);
	return served;
}

static void without_lists_everybody_is_allowed(void **state)
{
	assert_true(trust_allows(trust_of(state), A));
	assert_false(trust_one_signature(trust_of(state), A));
	assert_int_equal(trust_count(trust_of(state)), 0);
	assert_null(trust_show(trust_of(state), A));
}

static void deny_wins_over_allow(void **state)
{
	char *allow[] = { (char[]){ "*.example" }, (char[]){ "c.test" } },
	     *deny[] = { (char[]){ "b.*" } };
	const struct trust_lists lists = {
		.allow = allow, .allow_len = 2, .deny = deny, .deny_len = 1
	};

	trust_set_lists(trust_of(state), &lists);
	assert_true(trust_allows(trust_of(state), A));
	assert_true(trust_allows(trust_of(state), MX_SLICE("c.test")));
	assert_false(trust_allows(trust_of(state), B));
	assert_false(trust_allows(trust_of(state), MX_SLICE("d.test")));
}

static void new_lists_replace_the_old_ones(void **state)
{
	char *deny[] = { (char[]){ "*" } }, *one[] = { (char[]){ "a.*" } };

	trust_set_lists(trust_of(state), &(struct trust_lists){ .deny = deny, .deny_len = 1 });
	assert_false(trust_allows(trust_of(state), A));
	trust_set_lists(trust_of(state),
			&(struct trust_lists){ .one_signature = one, .one_signature_len = 1 });
	assert_true(trust_allows(trust_of(state), A));
	assert_true(trust_one_signature(trust_of(state), A));
	assert_false(trust_one_signature(trust_of(state), B));
}

static void a_denial_survives_a_restart(void **state)
{
	struct trust *later;

	assert_int_equal(trust_deny(trust_of(state), A, "spam", NULL), 0);
	later = stored(state);
	assert_false(trust_allows(later, A));
	assert_true(trust_allows(later, B));
	trust_free(later);
}

static void a_denial_can_be_taken_back_once(void **state)
{
	struct trust *later;

	trust_deny(trust_of(state), A, "spam", NULL);
	assert_int_equal(trust_undeny(trust_of(state), A, NULL), 0);
	assert_true(trust_allows(trust_of(state), A));
	assert_int_equal(trust_undeny(trust_of(state), A, NULL), -MX_NOT_FOUND);
	later = stored(state);
	assert_int_equal(trust_count(later), 0);
	trust_free(later);
}

static void a_decision_tells_its_reason(void **state)
{
	json_auto_t *shown = NULL;

	trust_deny(trust_of(state), A, "spam", NULL);
	shown = trust_show(trust_of(state), A);
	assert_string_equal(jstr(shown, "reason"), "spam");
	assert_int_equal(jint(shown, "since_ts", 0), NOTARY_NOW);
	assert_true(jbool(shown, "denied", false));
}

static void a_reason_is_cut_at_500_bytes(void **state)
{
	json_auto_t *shown = NULL;
	char reason[1000];

	memset(reason, 'x', sizeof(reason) - 1);
	reason[sizeof(reason) - 1] = '\0';
	assert_int_equal(trust_deny(trust_of(state), A, reason, NULL), 0);
	shown = trust_show(trust_of(state), A);
	assert_int_equal(strlen(jstr(shown, "reason")), 500);
}

static void without_pins_every_version_is_served(void **state)
{
	assert_true(fits(state, A));
}

static void a_pinned_server_is_served_with_that_key_only(void **state)
{
	struct trust *trust = trust_of(state);

	assert_int_equal(trust_pin(trust, A, MX_SLICE("ed25519:1"), key_two, "", NULL), 0);
	assert_false(fits(state, A));
	assert_int_equal(trust_pin(trust, A, MX_SLICE("ed25519:1"), key_one, "", NULL), 0);
	assert_true(fits(state, A));
	assert_true(fits(state, B));
}

static void the_id_of_a_pin_counts_too(void **state)
{
	trust_pin(trust_of(state), A, MX_SLICE("ed25519:2"), key_one, "", NULL);
	assert_false(fits(state, A));
}

static void an_old_key_does_not_satisfy_a_pin(void **state)
{
	trust_pin(trust_of(state), A, MX_SLICE("ed25519:0"), key_two, "", NULL);
	assert_false(fits(state, A));
}

static void one_of_several_pins_is_enough(void **state)
{
	trust_pin(trust_of(state), A, MX_SLICE("ed25519:0"), key_two, "", NULL);
	trust_pin(trust_of(state), A, MX_SLICE("ed25519:1"), key_one, "", NULL);
	assert_true(fits(state, A));
}

static void pins_survive_a_restart_and_a_denial(void **state)
{
	struct trust *later;
	json_auto_t *shown = NULL;

	trust_pin(trust_of(state), A, MX_SLICE("ed25519:1"), key_one, "moved", NULL);
	trust_deny(trust_of(state), A, "spam", NULL);
	trust_undeny(trust_of(state), A, NULL);
	later = stored(state);
	shown = trust_show(later, A);
	assert_int_equal(json_array_size(jarr(shown, "pins")), 1);
	assert_false(jbool(shown, "denied", true));
	trust_free(later);
}

static void a_server_has_sixteen_pins_at_most(void **state)
{
	char id[] = "ed25519:a";
	int last = sizeof(id) - 2;

	for (int i = 0; i < 16; i++, id[last]++)
		assert_int_equal(trust_pin(trust_of(state), A, mx_slice(id), key_one, "", NULL), 0);
	assert_int_equal(trust_pin(trust_of(state), A, mx_slice(id), key_one, "", NULL),
			 -MX_TOO_LARGE);
}

static void all_pins_go_at_once(void **state)
{
	trust_pin(trust_of(state), A, MX_SLICE("ed25519:1"), key_two, "", NULL);
	assert_int_equal(trust_unpin(trust_of(state), A, NULL), 0);
	assert_true(fits(state, A));
	assert_int_equal(trust_unpin(trust_of(state), A, NULL), -MX_NOT_FOUND);
	assert_int_equal(trust_count(trust_of(state)), 0);
}

static int make_keys(void **state)
{
	(void)state;
	key_fixture_public(1, key_one);
	key_fixture_public(2, key_two);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		notary_test(without_lists_everybody_is_allowed),
		notary_test(deny_wins_over_allow),
		notary_test(new_lists_replace_the_old_ones),
		notary_test(a_denial_survives_a_restart),
		notary_test(a_denial_can_be_taken_back_once),
		notary_test(a_decision_tells_its_reason),
		notary_test(a_reason_is_cut_at_500_bytes),
		notary_test(without_pins_every_version_is_served),
		notary_test(a_pinned_server_is_served_with_that_key_only),
		notary_test(the_id_of_a_pin_counts_too),
		notary_test(an_old_key_does_not_satisfy_a_pin),
		notary_test(one_of_several_pins_is_enough),
		notary_test(pins_survive_a_restart_and_a_denial),
		notary_test(a_server_has_sixteen_pins_at_most),
		notary_test(all_pins_go_at_once),
	};

	return cmocka_run_group_tests_name("notary/trust", tests, make_keys, NULL);
}
