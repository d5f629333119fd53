/* wrap: net_start net_fetch reply_body_new reply_body_ref reply_body_unref */
#include "notary/seal.h"

#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/http/request.h"
#include "shared/json/json.h"
#include "shared/keys/own_keys.h"
#include "tests/support/notary_fixture.h"
#include "tests/support/reply_mock.h"

/* Seeds of 32 equal bytes. */
#define KEY_ONE   "ed25519 one AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE\n"
#define KEY_TWO   "ed25519 two AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI\n"
#define KEY_THREE "ed25519 three AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM\n"
#define OLD_ONE   "ed25519 one 1600000000000 iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w\n"

static void write_keys(struct notary_fixture *f, const char *text)
{
	notary_fixture_file(f, "signing.key", text);
}

static void reload(struct notary_fixture *f)
{
	struct mx_error err = { 0 };

	if (seal_reload(f->notary.seal, &err))
		fail_msg("%s", err.text);
}

/* The published object; valid until the next call. */
static const char *published(struct notary_fixture *f)
{
	struct reply_body *reply = own_keys_reply(f->notary.own);
	const char *text = mx_arena_strdup(f->mem, reply_mock_text(reply));

	reply_body_unref(reply);
	return text;
}

/* It must pass the check that every server's object has to pass. */
static struct key_object checked(struct notary_fixture *f)
{
	struct key_object object;
	struct mx_error err = { 0 };

	if (key_object_check(mx_slice(published(f)), mx_slice(NOTARY_NAME), KEY_POLICY_ALL, f->mem,
			     &object, &err) != KEY_FINE)
		fail_msg("%s", err.text);
	return object;
}

static struct mx_slice seal_of(struct notary_fixture *f, const struct made_object *made)
{
	const struct key_object object = key_fixture_object(made, f->mem);
	mx_str_auto out = { 0 };

	assert_int_equal(seal_object(f->notary.seal, &object, &out, NULL), 0);
	return mx_arena_slice(f->mem, mx_str_slice(&out));
}

static const struct made_object a_object = {
	.server = "a.example",
	.valid_until_ts = NOTARY_NOW + MX_DAY_MS,
	.keys = { { .id = "ed25519:1", .seed = 9 } },
};

static void a_key_that_only_countersigns_is_not_published(void **state)
{
	struct notary_fixture *f = *state;
	struct mx_slice seal;

	write_keys(f, KEY_ONE);
	notary_fixture_file(f, "countersign.key", KEY_TWO KEY_THREE);
	reload(f);
	assert_int_equal(checked(f).keys_len, 1);
	seal = seal_of(f, &a_object);
	assert_true(memmem(seal.ptr, seal.len, "\"ed25519:one\"", 13));
	assert_true(memmem(seal.ptr, seal.len, "\"ed25519:two\"", 13));
	assert_true(memmem(seal.ptr, seal.len, "\"ed25519:three\"", 15));
}

static void other_keys_have_another_seal_id(void **state)
{
	struct notary_fixture *f = *state;
	uint8_t first[8];

	memcpy(first, seal_id(f->notary.seal).ptr, sizeof(first));
	reload(f);
	assert_memory_equal(seal_id(f->notary.seal).ptr, first, sizeof(first));
	write_keys(f, KEY_ONE);
	reload(f);
	assert_memory_not_equal(seal_id(f->notary.seal).ptr, first, sizeof(first));
}

static void a_file_that_does_not_load_leaves_the_old_keys(void **state)
{
	struct notary_fixture *f = *state;
	const char *before = published(f);

	write_keys(f, "this is no key\n");
	assert_int_equal(seal_reload(f->notary.seal, NULL), -MX_BAD_KEY);
	assert_string_equal(published(f), before);
	write_keys(f, OLD_ONE);
	assert_int_equal(seal_reload(f->notary.seal, NULL), -MX_BAD_KEY);
	assert_string_equal(published(f), before);
}

static void renew(struct notary_fixture *f)
{
	struct mx_error err = { 0 };

	if (own_keys_refresh(f->notary.own, f->notary.history, &err))
		fail_msg("%s", err.text);
}

static void the_own_object_is_in_the_history_like_any_other(void **state)
{
	struct notary_fixture *f = *state;
	struct key_entry *entry;

	renew(f);
	entry = notary_fixture_load(f, NOTARY_NAME);
	assert_int_equal(entry->len, 1);
	assert_true(mx_slice_is(entry->versions[0].source, "own"));
	assert_true(mx_slice_is(entry->versions[0].bytes, published(f)));
	key_entry_unref(entry);
}

static void the_keys_before_a_rotation_stay_in_the_history(void **state)
{
	struct notary_fixture *f = *state;
	struct key_entry *entry;

	renew(f);
	write_keys(f, KEY_TWO);
	reload(f);
	renew(f);
	entry = notary_fixture_load(f, NOTARY_NAME);
	assert_int_equal(entry->len, 2);
	key_entry_unref(entry);
}

static void people_see_keys_with_their_roles(void **state)
{
	static const char *const roles[] = { "signing", "countersigning", "old" };
	struct notary_fixture *f = *state;
	json_auto_t *list = NULL;

	write_keys(f, OLD_ONE KEY_TWO);
	notary_fixture_file(f, "countersign.key", KEY_THREE);
	reload(f);
	list = seal_list(f->notary.seal);
	assert_int_equal(json_array_size(list), 3);
	for (size_t i = 0; i < 3; i++)
		assert_string_equal(jstr(json_array_get(list, i), "role"), roles[i]);
	assert_int_equal(strlen(jstr(json_array_get(list, 0), "fingerprint")), 39);
	assert_int_equal(jint(json_array_get(list, 2), "expired_ts", 0), INT64_C(1600000000000));
}

static void nothing_is_left_of_replaced_objects(void **state)
{
	struct notary_fixture *f = *state;

	for (int i = 0; i < 5; i++) {
		notary_fixture_pass(f, MX_DAY_MS);
		renew(f);
	}
	assert_int_equal(reply_mock_alive(), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		notary_test(a_key_that_only_countersigns_is_not_published),
		notary_test(other_keys_have_another_seal_id),
		notary_test(a_file_that_does_not_load_leaves_the_old_keys),
		notary_test(the_own_object_is_in_the_history_like_any_other),
		notary_test(the_keys_before_a_rotation_stay_in_the_history),
		notary_test(people_see_keys_with_their_roles),
		notary_test(nothing_is_left_of_replaced_objects),
	};

	return cmocka_run_group_tests_name("notary/seal", tests, NULL, NULL);
}
