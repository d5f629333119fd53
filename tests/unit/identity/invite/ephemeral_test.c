/* wrap: message_mail listed_or_bound threepid_parse */
#include "identity/invite/ephemeral.h"

#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/json/json.h"
#include "tests/support/invite_fixture.h"
#include "tests/support/store_fixture.h"

#include <string.h>

/* Bytes 0 to 31. */
#define SEED        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
#define SEED_PUBLIC "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg"
#define OTHER_SEED  "YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1"

/* As its mail says it; the answer's key. */
static struct invite_answer invite(struct invite_fixture *f)
{
	struct invite_answer answer = { 0 };

	assert_int_equal(invite_fixture_invite(f, "alice@example.com", NULL, &answer), 0);
	return answer;
}

/* An invite with the token abc123 and the key SEED. */
static void import(struct invite_fixture *f, bool knows_key)
{
	struct invite invite = {
		.token = "abc123",
		.room_id = "!room:example.com",
		.sender = "@bob:example.com",
		.threepid = { "email", "alice@example.com" },
		.created_ms = INVITE_FIXTURE_MS,
	};
	uint8_t public_key[32];
	bool added;

	assert_true(ephemeral_decode(SEED_PUBLIC, public_key));
	if (knows_key)
		memcpy(invite.ephemeral_public, public_key, sizeof(public_key));
	else
		assert_int_equal(ephemeral_import(&f->call, public_key, &added), 0);
	assert_int_equal(invite_import(f->call.txn, &invite, NULL), 0);
}

static int sign(struct invite_fixture *f, const char *token, const char *private_key,
		json_t **ret_signed)
{
	const struct invite_signing signing = { "@alice:example.org", token, private_key };

	return invite_sign(&f->call, &signing, ret_signed, NULL);
}

static void assert_signs(struct invite_fixture *f, const char *private_key)
{
	static const char *const expected =
		"AkQ/89BXVbKyGhPQc6dk1LwleHqCZ8v+snYfnO6eFWJqKevqOVazaBI2vEpdtKMlM1RxRLxnjCxrhBu0"
		"W4GwDw";
	json_t *of_server, *object;

	assert_int_equal(sign(f, "abc123", private_key, &object), 0);
	of_server = jobj(jobj(object, "signatures"), "id.example.org");
	assert_string_equal(jstr(of_server, "ed25519:0"), expected);
	assert_string_equal(jstr(object, "sender"), "@bob:example.com");
	json_decref(object);
}

static void a_token_is_signed_with_its_key(void **state)
{
	import(*state, true);
	assert_signs(*state, SEED);
	assert_signs(*state, SEED "=");
}

static void an_imported_invite_takes_the_keys_that_came_with_it(void **state)
{
	json_t *none;

	import(*state, false);
	assert_signs(*state, SEED);
	assert_int_equal(sign(*state, "abc123", OTHER_SEED, &none), -MX_INVALID_PARAM);
}

static void the_mail_has_the_key_that_signs(void **state)
{
	struct invite_fixture *f = *state;
	struct invite_answer answer = invite(f);
	json_t *object;

	assert_int_equal(
		sign(f, answer.token, invite_fixture_value(f, "ephemeral_private_key"), &object),
		0);
	assert_string_equal(jstr(object, "token"), answer.token);
	json_decref(object);
}

static void another_key_signs_nothing(void **state)
{
	json_t *none;

	import(*state, true);
	assert_int_equal(sign(*state, "abc123", OTHER_SEED, &none), -MX_INVALID_PARAM);
	assert_int_equal(sign(*state, "abc123", "AAEC", &none), -MX_INVALID_PARAM);
	assert_int_equal(sign(*state, "abc123", SEED SEED SEED, &none), -MX_INVALID_PARAM);
	assert_int_equal(sign(*state, "abc123", "", &none), -MX_INVALID_PARAM);
}

static void the_key_of_another_invite_signs_nothing(void **state)
{
	struct invite_fixture *f = *state;
	struct invite_answer first = invite(f);
	json_t *none;

	invite(f);
	assert_int_equal(
		sign(f, first.token, invite_fixture_value(f, "ephemeral_private_key"), &none),
		-MX_INVALID_PARAM);
}

static void an_unknown_token_is_not_signed(void **state)
{
	char endless[2000];
	json_t *none;

	memset(endless, 'a', sizeof(endless) - 1);
	endless[sizeof(endless) - 1] = '\0';
	assert_int_equal(sign(*state, "abc123", SEED, &none), -MX_UNRECOGNIZED);
	assert_int_equal(sign(*state, endless, SEED, &none), -MX_UNRECOGNIZED);
	assert_int_equal(sign(*state, "", SEED, &none), -MX_UNRECOGNIZED);
}

static void a_bound_invite_still_signs(void **state)
{
	import(*state, true);
	invite_fixture_bind(*state, "alice@example.com", "@alice:example.org");
	assert_signs(*state, SEED);
}

static void a_withdrawn_invite_signs_no_more(void **state)
{
	struct invite_fixture *f = *state;
	json_t *none;

	import(f, true);
	assert_int_equal(invite_withdraw(&f->call, "abc123", NULL), 0);
	assert_int_equal(sign(f, "abc123", SEED, &none), -MX_UNRECOGNIZED);
	assert_false(ephemeral_is_valid(&f->call, SEED_PUBLIC));
}

static void an_expired_invite_signs_no_more(void **state)
{
	struct invite_fixture *f = *state;
	json_t *none;

	import(f, true);
	f->conf.invites.expire_days = 7;
	f->call.now_ms = INVITE_FIXTURE_MS + 7 * MX_DAY_MS - 1;
	assert_signs(f, SEED);
	assert_true(ephemeral_is_valid(&f->call, SEED_PUBLIC));
	f->call.now_ms++;
	assert_int_equal(sign(f, "abc123", SEED, &none), -MX_UNRECOGNIZED);
	assert_false(ephemeral_is_valid(&f->call, SEED_PUBLIC));
}

static void a_key_is_valid_in_every_spelling(void **state)
{
	struct invite_fixture *f = *state;

	import(f, true);
	assert_true(ephemeral_is_valid(&f->call, "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg"));
	assert_true(ephemeral_is_valid(&f->call, "A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg"));
	assert_true(ephemeral_is_valid(&f->call, "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg="));
}

static void a_plus_that_became_a_blank_is_understood(void **state)
{
	uint8_t plus[32], blank[32];

	(void)state;
	assert_true(ephemeral_decode("++++++++++++++++++++++++++++++++++++++++++A", plus));
	assert_true(ephemeral_decode("+ + + + + + + + + + + + + + + + + + + + + A", blank));
	assert_memory_equal(plus, blank, sizeof(plus));
}

static void keys_that_nobody_got_are_not_valid(void **state)
{
	struct invite_fixture *f = *state;

	import(f, true);
	assert_false(ephemeral_is_valid(&f->call, "XGX0JRS2Af3be3knz2fBiRbApjm2Dh61gXDJA8kcJNI"));
	assert_false(ephemeral_is_valid(&f->call, ""));
	assert_false(ephemeral_is_valid(&f->call, "A6EH"));
	assert_false(ephemeral_is_valid(&f->call, "not base64"));
}

static void each_key_that_is_given_out_is_valid(void **state)
{
	struct invite_fixture *f = *state;
	struct invite_answer first = invite(f), second = invite(f);

	assert_true(ephemeral_is_valid(&f->call, first.ephemeral_public));
	assert_true(ephemeral_is_valid(&f->call, second.ephemeral_public));
}

static void an_imported_key_is_valid_for_ever(void **state)
{
	struct invite_fixture *f = *state;

	import(f, false);
	f->conf.invites.expire_days = 7;
	f->call.now_ms += 1000 * MX_DAY_MS;
	assert_true(ephemeral_is_valid(&f->call, SEED_PUBLIC));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		invite_test(a_token_is_signed_with_its_key),
		invite_test(an_imported_invite_takes_the_keys_that_came_with_it),
		invite_test(the_mail_has_the_key_that_signs),
		invite_test(another_key_signs_nothing),
		invite_test(the_key_of_another_invite_signs_nothing),
		invite_test(an_unknown_token_is_not_signed),
		invite_test(a_bound_invite_still_signs),
		invite_test(a_withdrawn_invite_signs_no_more),
		invite_test(an_expired_invite_signs_no_more),
		invite_test(a_key_is_valid_in_every_spelling),
		invite_test(a_plus_that_became_a_blank_is_understood),
		invite_test(keys_that_nobody_got_are_not_valid),
		invite_test(each_key_that_is_given_out_is_valid),
		invite_test(an_imported_key_is_valid_for_ever),
	};
	return cmocka_run_group_tests_name("invite/ephemeral", tests, NULL, NULL);
}
