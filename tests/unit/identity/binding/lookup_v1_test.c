#include "identity/binding/lookup_v1.h"

#include "identity/binding/lookup.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/json/json.h"
#include "tests/support/binding_fixture.h"

/* wrap: threepid_parse */

int __wrap_threepid_parse(const char *medium, const char *address, struct mx_arena *mem,
			  struct threepid *ret_threepid, struct mx_error *err);

/* Knows one other spelling of an address. */
int __wrap_threepid_parse(const char *medium, const char *address, struct mx_arena *mem,
			  struct threepid *ret_threepid, struct mx_error *err)
{
	if (!streq(medium, "email"))
		return mx_fail(err, MX_INVALID_PARAM, "no such medium");
	*ret_threepid = (struct threepid){
		.medium = "email",
		.address = mx_arena_strdup(
			mem, streq(address, "ALICE@example.com") ? "alice@example.com" : address),
	};
	return 0;
}

static struct mx_slice ask(struct binding_fixture *f, const char *medium, const char *address)
{
	const struct threepid as_sent = { medium, address };
	struct mx_slice json;

	binding_fixture_read(f);
	assert_int_equal(lookup_v1_one(&f->call, &as_sent, NULL, &json, NULL), 0);
	return json;
}

static void the_stored_bytes_are_the_answer(void **state)
{
	struct binding_fixture *f = *state;
	const struct threepid alice = { "email", "alice@example.com" };
	struct binding stored;

	binding_fixture_bind(f, "alice@example.com", "@alice:example.org");
	assert_int_equal(binding_load(&f->call, &alice, &stored), 0);
	assert_true(mx_slice_eq(ask(f, "email", "ALICE@example.com"), stored.signed_json));
}

static void nobody_is_no_bytes(void **state)
{
	struct binding_fixture *f = *state;

	assert_null(ask(f, "email", "bob@example.com").ptr);
	assert_null(ask(f, "carrier-pigeon", "bob").ptr);
}

static void a_peers_association_gets_our_signature_too(void **state)
{
	struct binding_fixture *f = *state;
	const struct binding peers = {
		.threepid = { "email", "alice@example.com" },
		.user_id = "@alice:example.org",
		.ts_ms = BINDING_FIXTURE_NOW,
		.not_before_ms = BINDING_FIXTURE_NOW,
		.not_after_ms = BINDING_FIXTURE_NOW + BINDING_VALID_MS,
		.origin = "peer.example.org",
		.signed_json = MX_SLICE("{\"mxid\":\"@alice:example.org\",\"signatures\":"
					"{\"peer.example.org\":{\"ed25519:1\":\"x\"}}}"),
	};
	struct mx_slice answer;
	json_t *object, *signatures;

	assert_true(binding_put(&f->call, &peers));
	answer = ask(f, "email", "alice@example.com");
	object = json_loadb(answer.ptr, answer.len, 0, NULL);
	signatures = jobj(object, "signatures");
	assert_string_equal(jstr(jobj(signatures, "peer.example.org"), "ed25519:1"), "x");
	assert_int_equal(strlen(jstr(jobj(signatures, "id.example.org"), "ed25519:0")), 86);
	json_decref(object);
}

static void many_are_answered_as_they_were_asked(void **state)
{
	struct binding_fixture *f = *state;
	json_t *asked = json_pack("[[ss][ss][ss]]", "email", "ALICE@example.com", "email",
				  "bob@example.com", "carrier-pigeon", "x");
	json_t *expected = json_pack("[[sss]]", "email", "ALICE@example.com", "@alice:example.org");
	json_t *found;

	binding_fixture_bind(f, "alice@example.com", "@alice:example.org");
	binding_fixture_read(f);
	assert_int_equal(lookup_v1_bulk(&f->call, asked, NULL, &found, NULL), 0);
	assert_true(json_equal(found, expected));
	json_decref(found);
	json_decref(expected);
	json_decref(asked);
}

static void assert_refused(struct binding_fixture *f, json_t *asked, int rc)
{
	json_t *found;

	binding_fixture_read(f);
	assert_int_equal(lookup_v1_bulk(&f->call, asked, NULL, &found, NULL), rc);
	json_decref(asked);
}

static void lists_of_something_else_are_refused(void **state)
{
	struct binding_fixture *f = *state;
	json_t *many = json_array();

	for (int i = 0; i <= LOOKUP_ADDRESSES_MAX; i++)
		json_array_append_new(many, json_pack("[ss]", "email", "a@b"));
	assert_refused(f, json_object(), -MX_INVALID_PARAM);
	assert_refused(f, json_pack("[[s]]", "email"), -MX_INVALID_PARAM);
	assert_refused(f, json_pack("[[sss]]", "email", "a@b", "c"), -MX_INVALID_PARAM);
	assert_refused(f, json_pack("[[si]]", "email", 1), -MX_INVALID_PARAM);
	assert_refused(f, json_pack("[s]", "email"), -MX_INVALID_PARAM);
	assert_refused(f, many, -MX_TOO_MANY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		binding_test(the_stored_bytes_are_the_answer),
		binding_test(nobody_is_no_bytes),
		binding_test(a_peers_association_gets_our_signature_too),
		binding_test(many_are_answered_as_they_were_asked),
		binding_test(lists_of_something_else_are_refused),
	};

	return cmocka_run_group_tests_name("lookup_v1", tests, NULL, NULL);
}
