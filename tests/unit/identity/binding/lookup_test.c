#include "identity/binding/lookup.h"

#include "identity/binding/lookup_hash.h"
#include "identity/budget_kinds.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/base64.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/json/json.h"
#include "tests/support/binding_fixture.h"

/* wrap: threepid_parse */

/* Folding is threepid.c's own matter; here ASCII is enough. */
int __wrap_threepid_parse(const char *medium, const char *address, struct mx_arena *mem,
			  struct threepid *ret_threepid, struct mx_error *err);

int __wrap_threepid_parse(const char *medium, const char *address, struct mx_arena *mem,
			  struct threepid *ret_threepid, struct mx_error *err)
{
	char *folded = mx_arena_strdup(mem, address);

	if (!streq(medium, "email") && !streq(medium, "msisdn"))
		return mx_fail(err, MX_INVALID_PARAM, "no such medium");
	if (streq(medium, "email") && !strchr(address, '@'))
		return mx_fail(err, MX_INVALID_EMAIL, "no address");
	for (char *c = folded; *c; c++) {
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	}
	*ret_threepid = (struct threepid){ mx_arena_strdup(mem, medium), folded };
	return 0;
}

struct asking {
	const char *algorithm, *pepper, *asker;
	json_t *addresses;
};

/* Takes the addresses over; the mappings, or NULL and *ret_rc. */
static json_t *ask(struct binding_fixture *f, const struct asking *asking, struct mx_error *err)
{
	char current[PEPPER_MAX + 1];
	const struct lookup_request request = {
		.addresses = asking->addresses,
		.algorithm = asking->algorithm ? asking->algorithm : "sha256",
		.pepper = asking->pepper ? asking->pepper : current,
		.asker = asking->asker,
	};
	json_t *mappings = NULL;
	int rc;

	pepper_current(f->identity.pepper, current);
	binding_fixture_read(f);
	rc = lookup_addresses(&f->call, &request, &mappings, err);
	assert_int_equal(rc == 0, mappings != NULL);
	if (rc)
		err->code = (enum mx_code) - rc;
	json_decref(asking->addresses);
	return mappings;
}

static void assert_refused(struct binding_fixture *f, const struct asking *asking,
			   enum mx_code code)
{
	struct mx_error err = { 0 };

	assert_null(ask(f, asking, &err));
	assert_int_equal(err.code, code);
}

static char *hash_text(struct binding_fixture *f, const char *address, const char *medium)
{
	const struct threepid threepid = { medium, address };
	char pepper[PEPPER_MAX + 1];
	uint8_t hash[LOOKUP_HASH_LEN];
	mx_str_auto text = { 0 };

	pepper_current(f->identity.pepper, pepper);
	lookup_hash(&threepid, pepper, hash);
	mx_base64url_add(&text, hash, sizeof(hash));
	return mx_arena_strdup(f->call.mem, text.ptr);
}

static void assert_mapping(const json_t *mappings, const char *key, const char *user_id)
{
	assert_non_null(mappings);
	if (!user_id)
		assert_null(jstr(mappings, key));
	else
		assert_string_equal(jstr(mappings, key), user_id);
}

static void hashes_are_those_of_the_vectors(void **state)
{
	static const struct {
		struct threepid threepid;
		const char *hash;
	} vectors[] = {
		{ { "email", "alice@example.com" }, "4kenr7N9drpCJ4AfalmlGQVsOn3o2RHjkADUpXJWZUc" },
		{ { "email", "bob@example.com" }, "LJwSazmv46n0hlMlsb_iYxI0_HXEqy_yj6Jm636cdT8" },
		{ { "msisdn", "18005552067" }, "nlo35_T5fzSGZzJApqu8lgIudJvmOQtDaHtr-I4rU7I" },
		{ { "email", "strauss@example.com" },
		  "Wvo9OL_UvrDZsRecvnhshdTeilXXGbhk0J5l5rX55Ok" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		uint8_t made[LOOKUP_HASH_LEN], read[LOOKUP_HASH_LEN];

		lookup_hash(&vectors[i].threepid, "matrixrocks", made);
		assert_true(lookup_hash_parse(mx_slice(vectors[i].hash), read));
		assert_memory_equal(made, read, sizeof(made));
	}
}

static void only_the_one_spelling_of_a_hash_is_one(void **state)
{
	uint8_t hash[LOOKUP_HASH_LEN];

	(void)state;
	assert_true(
		lookup_hash_parse(MX_SLICE("LJwSazmv46n0hlMlsb_iYxI0_HXEqy_yj6Jm636cdT8"), hash));
	assert_false(
		lookup_hash_parse(MX_SLICE("LJwSazmv46n0hlMlsb/iYxI0/HXEqy/yj6Jm636cdT8"), hash));
	assert_false(
		lookup_hash_parse(MX_SLICE("LJwSazmv46n0hlMlsb_iYxI0_HXEqy_yj6Jm636cdT8="), hash));
	assert_false(
		lookup_hash_parse(MX_SLICE("LJwSazmv46n0hlMlsb_iYxI0_HXEqy_yj6Jm636cdT9"), hash));
	assert_false(
		lookup_hash_parse(MX_SLICE("LJwSazmv46n0hlMlsb_iYxI0_HXEqy_yj6Jm636cdT"), hash));
	assert_false(lookup_hash_parse(MX_SLICE(""), hash));
}

static void who_is_bound_is_found_by_hash(void **state)
{
	struct binding_fixture *f = *state;
	char *alice = hash_text(f, "alice@example.com", "email");
	char *bob = hash_text(f, "bob@example.com", "email");
	struct asking asking = { 0 };
	json_t *mappings;

	binding_fixture_bind(f, "alice@example.com", "@alice:example.org");
	asking.addresses = json_pack("[ssss]", bob, alice, alice, "not a hash");
	mappings = ask(f, &asking, NULL);
	assert_mapping(mappings, alice, "@alice:example.org");
	assert_int_equal(json_object_size(mappings), 1);
	json_decref(mappings);
}

static void the_answer_in_clear_is_keyed_as_it_was_asked(void **state)
{
	struct binding_fixture *f = *state;
	struct asking asking = { .algorithm = "none" };
	json_t *mappings;

	binding_fixture_bind(f, "alice@example.com", "@alice:example.org");
	asking.addresses = json_pack("[sss]", "Alice@Example.com email", "no-address email",
				     "alice@example.com carrier-pigeon");
	mappings = ask(f, &asking, NULL);
	assert_mapping(mappings, "Alice@Example.com email", "@alice:example.org");
	assert_int_equal(json_object_size(mappings), 1);
	json_decref(mappings);
}

static void all_ways_say_the_newest(void **state)
{
	struct binding_fixture *f = *state;
	char *alice = hash_text(f, "alice@example.com", "email");
	struct asking asking = { 0 };
	json_t *mappings;

	binding_fixture_bind(f, "alice@example.com", "@zed:example.org");
	binding_fixture_bind(f, "alice@example.com", "@amy:example.org");
	asking.addresses = json_pack("[s]", alice);
	mappings = ask(f, &asking, NULL);
	assert_mapping(mappings, alice, "@amy:example.org");
	json_decref(mappings);
	asking.algorithm = "none";
	asking.addresses = json_pack("[s]", "alice@example.com email");
	mappings = ask(f, &asking, NULL);
	assert_mapping(mappings, "alice@example.com email", "@amy:example.org");
	json_decref(mappings);
}

static void the_unbound_are_found_no_more(void **state)
{
	struct binding_fixture *f = *state;
	struct asking asking = { 0 };
	json_t *mappings;

	binding_fixture_bind(f, "alice@example.com", "@alice:example.org");
	binding_fixture_bind(f, "alice@example.com", NULL);
	asking.addresses = json_pack("[s]", hash_text(f, "alice@example.com", "email"));
	mappings = ask(f, &asking, NULL);
	assert_int_equal(json_object_size(mappings), 0);
	json_decref(mappings);
}

static void a_peers_binding_counts_only_in_its_time(void **state)
{
	struct binding_fixture *f = *state;
	const struct binding peers = {
		.threepid = { "email", "alice@example.com" },
		.user_id = "@alice:example.org",
		.ts_ms = BINDING_FIXTURE_NOW - 100,
		.not_before_ms = BINDING_FIXTURE_NOW - 50,
		.not_after_ms = BINDING_FIXTURE_NOW + 50,
		.origin = "peer.example.org",
		.signed_json = MX_SLICE("{}"),
	};
	static const int64_t at[] = { -51, -50, 49, 50 };

	assert_true(binding_put(&f->call, &peers));
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		struct asking asking = { 0 };
		json_t *mappings;

		binding_fixture_at(f, BINDING_FIXTURE_NOW + at[i]);
		asking.addresses = json_pack("[s]", hash_text(f, "alice@example.com", "email"));
		mappings = ask(f, &asking, NULL);
		assert_int_equal(json_object_size(mappings), i == 1 || i == 2);
		json_decref(mappings);
	}
}

/* A peer's clock may be ahead. */
static void what_begins_later_is_not_found_before(void **state)
{
	struct binding_fixture *f = *state;
	const struct binding peers = {
		.threepid = { "email", "alice@example.com" },
		.user_id = "@alice:example.org",
		.ts_ms = BINDING_FIXTURE_NOW + 50,
		.not_before_ms = BINDING_FIXTURE_NOW + 50,
		.not_after_ms = BINDING_FIXTURE_NOW + 50 + BINDING_VALID_MS,
		.origin = "peer.example.org",
		.signed_json = MX_SLICE("{}"),
	};

	assert_true(binding_put(&f->call, &peers));
	for (int64_t later_ms = 49; later_ms <= 50; later_ms++) {
		struct asking asking = { 0 };
		json_t *mappings;

		binding_fixture_at(f, BINDING_FIXTURE_NOW + later_ms);
		asking.addresses = json_pack("[s]", hash_text(f, "alice@example.com", "email"));
		mappings = ask(f, &asking, NULL);
		assert_int_equal(json_object_size(mappings), later_ms == 50);
		json_decref(mappings);
	}
}

static void wrong_questions_are_refused(void **state)
{
	struct binding_fixture *f = *state;
	json_t *many = json_array();

	for (int i = 0; i <= LOOKUP_ADDRESSES_MAX; i++)
		json_array_append_new(many, json_string("x"));
	assert_refused(f, &(struct asking){ .pepper = "old", .addresses = json_array() },
		       MX_INVALID_PEPPER);
	assert_refused(f, &(struct asking){ .algorithm = "md5", .addresses = json_array() },
		       MX_INVALID_PARAM);
	assert_refused(f, &(struct asking){ .addresses = json_object() }, MX_INVALID_PARAM);
	assert_refused(f, &(struct asking){ .addresses = NULL }, MX_INVALID_PARAM);
	assert_refused(f, &(struct asking){ .addresses = json_pack("[si]", "a", 1) },
		       MX_INVALID_PARAM);
	assert_refused(f, &(struct asking){ .addresses = many }, MX_TOO_MANY);
}

static void an_address_in_clear_is_two_words(void **state)
{
	static const char *const wrong[] = { "a@b",    "a@b email x", "a@b  email",
					     " email", "a@b ",        "" };
	struct binding_fixture *f = *state;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_refused(f,
			       &(struct asking){ .algorithm = "none",
						 .addresses = json_pack("[s]", wrong[i]) },
			       MX_INVALID_PARAM);
}

static void the_operator_may_refuse_addresses_in_clear(void **state)
{
	struct binding_fixture *f = *state;
	const struct pepper_conf conf = { .store = f->identity.store, .hashes_only = true };

	assert_true(pepper_allows_none(f->identity.pepper));
	pepper_free(f->identity.pepper);
	assert_int_equal(pepper_new(&conf, &f->identity.pepper, NULL), 0);
	assert_false(pepper_allows_none(f->identity.pepper));
	assert_refused(f, &(struct asking){ .algorithm = "none", .addresses = json_array() },
		       MX_INVALID_PARAM);
}

static void hashes_in_memory_say_what_the_store_says(void **state)
{
	struct binding_fixture *f = *state;
	const struct pepper_conf conf = { .store = f->identity.store, .memory_bytes = 1 << 20 };
	char *alice = hash_text(f, "alice@example.com", "email");
	char *bob = hash_text(f, "bob@example.com", "email");
	struct asking asking = { 0 };
	json_t *mappings;

	binding_fixture_bind(f, "alice@example.com", "@alice:example.org");
	pepper_free(f->identity.pepper);
	assert_int_equal(pepper_new(&conf, &f->identity.pepper, NULL), 0);
	binding_fixture_bind(f, "bob@example.com", "@bob:example.org");
	asking.addresses = json_pack("[ss]", alice, bob);
	mappings = ask(f, &asking, NULL);
	assert_mapping(mappings, alice, "@alice:example.org");
	assert_mapping(mappings, bob, "@bob:example.org");
	json_decref(mappings);
	binding_fixture_bind(f, "alice@example.com", NULL);
	asking.addresses = json_pack("[ss]", alice, bob);
	mappings = ask(f, &asking, NULL);
	assert_mapping(mappings, alice, NULL);
	json_decref(mappings);
}

/* ---- what it costs */

static void open_budget(struct binding_fixture *f, double burst)
{
	struct budget_rate rates[BUDGET_KINDS];

	for (int i = 0; i < BUDGET_KINDS; i++)
		rates[i] = (struct budget_rate){ burst, 1000000000 };
	f->identity.budgets = budgets_new(
		&(struct budgets_conf){ .kinds = BUDGET_KINDS, .rates = rates });
}

static json_t *misses(int count)
{
	json_t *list = json_array();

	while (count-- > 0)
		json_array_append_new(list, json_string("A"));
	return list;
}

static void misses_use_the_budget_up(void **state)
{
	struct binding_fixture *f = *state;
	struct mx_error err = { 0 };
	struct asking asking = { .asker = "@eve:example.org" };

	open_budget(f, 100);
	asking.addresses = misses(60);
	json_decref(ask(f, &asking, &err));
	asking.addresses = misses(60);
	assert_null(ask(f, &asking, &err));
	assert_int_equal(err.code, MX_LIMIT_EXCEEDED);
	assert_true(err.retry_after_ms > 0);
	asking.asker = "@bob:example.org";
	asking.addresses = misses(60);
	json_decref(ask(f, &asking, &err));
	budgets_free(f->identity.budgets);
}

static void hits_cost_a_tenth(void **state)
{
	struct binding_fixture *f = *state;
	struct mx_error err = { 0 };
	struct asking asking = { .asker = "@alice:example.org" };

	open_budget(f, 10);
	binding_fixture_bind(f, "bob@example.com", "@bob:example.org");
	for (int i = 0; i < 90; i++) {
		asking.addresses = json_pack("[s]", hash_text(f, "bob@example.com", "email"));
		json_decref(ask(f, &asking, &err));
		assert_int_equal(err.code, 0);
	}
	asking.addresses = misses(2);
	assert_null(ask(f, &asking, &err));
	budgets_free(f->identity.budgets);
}

/* With less left than a miss costs, an answer for hits alone would be a look-up for nothing. */
static void a_refusal_does_not_tell_hits_from_misses(void **state)
{
	struct binding_fixture *f = *state;
	struct mx_error err = { 0 };
	struct asking asking = { .asker = "@eve:example.org" };

	open_budget(f, 1.5);
	binding_fixture_bind(f, "bob@example.com", "@bob:example.org");
	asking.addresses = misses(1);
	json_decref(ask(f, &asking, &err));
	asking.addresses = json_pack("[s]", hash_text(f, "bob@example.com", "email"));
	assert_null(ask(f, &asking, &err));
	assert_int_equal(err.code, MX_LIMIT_EXCEEDED);
	budgets_free(f->identity.budgets);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hashes_are_those_of_the_vectors),
		cmocka_unit_test(only_the_one_spelling_of_a_hash_is_one),
		binding_test(who_is_bound_is_found_by_hash),
		binding_test(the_answer_in_clear_is_keyed_as_it_was_asked),
		binding_test(all_ways_say_the_newest),
		binding_test(the_unbound_are_found_no_more),
		binding_test(a_peers_binding_counts_only_in_its_time),
		binding_test(what_begins_later_is_not_found_before),
		binding_test(wrong_questions_are_refused),
		binding_test(an_address_in_clear_is_two_words),
		binding_test(the_operator_may_refuse_addresses_in_clear),
		binding_test(hashes_in_memory_say_what_the_store_says),
		binding_test(misses_use_the_budget_up),
		binding_test(hits_cost_a_tenth),
		binding_test(a_refusal_does_not_tell_hits_from_misses),
	};

	return cmocka_run_group_tests_name("lookup", tests, NULL, NULL);
}
