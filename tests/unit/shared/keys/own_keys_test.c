/* wrap: reply_body_new reply_body_ref reply_body_unref */
#include "shared/keys/own_keys.h"

#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/log.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/http/request.h"
#include "shared/json/json.h"
#include "shared/keys/key_object.h"
#include "tests/support/reply_mock.h"
#include "tests/support/store_fixture.h"

#include <sys/stat.h>

/* Seeds of 32 equal bytes. */
#define KEY_ONE "ed25519 one AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE\n"
#define KEY_TWO "ed25519 two AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI\n"
#define OLD_ONE "ed25519 one 1600000000000 iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w\n"

#define NOW  INT64_C(1700000000000)
#define NAME "here.example"

struct fixture {
	struct mx_arena *mem;
	char *directory, *file;
	struct own_keys *own;
	int64_t now_ms;
};

static void pass(struct fixture *f, int64_t ms)
{
	f->now_ms += ms;
	mx_time_fake(f->now_ms, f->now_ms);
}

static void open_keys(struct fixture *f)
{
	const struct own_keys_conf conf = { NAME, f->file, MX_DAY_MS };
	struct mx_error err = { 0 };

	own_keys_free(f->own);
	if (own_keys_new(&conf, &f->own, &err))
		fail_msg("%s", err.text);
}

static int setup(void **state)
{
	struct fixture *f = mx_calloc(1, sizeof(*f));

	mx_crypto_init();
	mx_log_setup(MX_LOG_ERROR, MX_LOG_TEXT);
	pass(f, NOW);
	f->mem = mx_arena_new(0);
	f->directory = store_fixture_directory();
	f->file = mx_arena_strf(f->mem, "%s/signing.key", f->directory);
	open_keys(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	own_keys_free(f->own);
	store_fixture_directory_remove(f->directory);
	mx_arena_free(f->mem);
	mx_free(f);
	mx_time_fake(-1, -1);
	return 0;
}

static void use_keys(struct fixture *f, const char *text)
{
	struct mx_error err = { 0 };

	store_fixture_file(f->file, text);
	if (own_keys_reload(f->own, &err))
		fail_msg("%s", err.text);
}

static const char *published(struct fixture *f)
{
	struct reply_body *reply = own_keys_reply(f->own);
	const char *text = mx_arena_strdup(f->mem, reply_mock_text(reply));

	reply_body_unref(reply);
	return text;
}

/* It must pass the check that every server's object has to pass. */
static struct key_object checked(struct fixture *f)
{
	struct key_object object;
	struct mx_error err = { 0 };

	if (key_object_check(mx_slice(published(f)), mx_slice(NAME), KEY_POLICY_ALL, f->mem,
			     &object, &err) != KEY_FINE)
		fail_msg("%s", err.text);
	return object;
}

static size_t verify_keys(const struct key_object *object)
{
	size_t count = 0;

	for (size_t i = 0; i < object->keys_len; i++)
		count += object->keys[i].expired_ts == 0;
	return count;
}

static void a_signing_file_is_made_if_there_is_none(void **state)
{
	struct fixture *f = *state;
	struct stat made;

	assert_int_equal(stat(f->file, &made), 0);
	assert_int_equal(made.st_mode & 0777, 0600);
	assert_int_equal(checked(f).keys_len, 1);
}

static void the_same_file_gives_the_same_keys_again(void **state)
{
	struct fixture *f = *state;
	const char *before = published(f);

	open_keys(f);
	assert_string_equal(published(f), before);
}

static void the_object_is_signed_by_all_its_keys(void **state)
{
	struct fixture *f = *state;
	struct key_object object;

	use_keys(f, KEY_ONE KEY_TWO);
	object = checked(f);
	assert_int_equal(verify_keys(&object), 2);
	assert_int_equal(object.valid_until_ts, NOW + MX_DAY_MS);
}

static void the_object_says_that_there_are_no_old_keys(void **state)
{
	assert_non_null(strstr(published(*state), "\"old_verify_keys\":{}"));
}

static void old_keys_are_published_with_their_end(void **state)
{
	struct fixture *f = *state;

	use_keys(f, OLD_ONE KEY_TWO);
	assert_int_equal(checked(f).keys_len, 2);
	assert_non_null(strstr(published(f), "\"ed25519:one\":{\"expired_ts\":1600000000000,"));
}

static void the_first_key_signs_and_stays_with_who_signs(void **state)
{
	struct fixture *f = *state;
	struct own_ring *before, *after;

	use_keys(f, KEY_TWO KEY_ONE);
	before = own_keys_ring(f->own);
	use_keys(f, KEY_ONE);
	after = own_keys_ring(f->own);
	assert_string_equal(mx_signing_key_id(own_ring_signer(before)), "ed25519:two");
	assert_string_equal(mx_signing_key_id(own_ring_signer(after)), "ed25519:one");
	assert_int_equal(own_ring_keys(before)->len, 2);
	own_ring_unref(before);
	own_ring_unref(after);
}

static void a_file_that_does_not_load_leaves_the_old_keys(void **state)
{
	struct fixture *f = *state;
	const char *before = published(f);

	store_fixture_file(f->file, "this is no key\n");
	assert_int_equal(own_keys_reload(f->own, NULL), -MX_BAD_KEY);
	assert_string_equal(published(f), before);
}

static void a_file_of_old_keys_alone_signs_nothing(void **state)
{
	struct fixture *f = *state;

	store_fixture_file(f->file, OLD_ONE);
	assert_int_equal(own_keys_reload(f->own, NULL), -MX_BAD_KEY);
}

static void renew(struct fixture *f)
{
	struct mx_error err = { 0 };

	if (own_keys_refresh(f->own, NULL, &err))
		fail_msg("%s", err.text);
}

static void the_object_stays_the_same_for_half_of_its_validity(void **state)
{
	struct fixture *f = *state;
	const char *before = published(f);

	renew(f);
	pass(f, 11 * MX_HOUR_MS);
	assert_false(own_keys_is_due(f->own, NULL));
	renew(f);
	assert_string_equal(published(f), before);
	pass(f, MX_HOUR_MS);
	assert_true(own_keys_is_due(f->own, NULL));
	renew(f);
	assert_int_equal(checked(f).valid_until_ts, f->now_ms + MX_DAY_MS);
}

static void the_validity_never_goes_backwards_with_the_clock(void **state)
{
	struct fixture *f = *state;
	int64_t before = checked(f).valid_until_ts;

	pass(f, -2 * MX_HOUR_MS);
	use_keys(f, KEY_TWO);
	assert_int_equal(checked(f).valid_until_ts, before);
}

static void people_see_signing_and_old_keys(void **state)
{
	struct fixture *f = *state;
	json_auto_t *list = NULL;

	use_keys(f, OLD_ONE KEY_TWO);
	list = own_keys_list(f->own);
	assert_int_equal(json_array_size(list), 2);
	assert_string_equal(jstr(json_array_get(list, 0), "role"), "signing");
	assert_string_equal(jstr(json_array_get(list, 1), "role"), "old");
	assert_int_equal(strlen(jstr(json_array_get(list, 0), "fingerprint")), 39);
}

#define keys_test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		keys_test(a_signing_file_is_made_if_there_is_none),
		keys_test(the_same_file_gives_the_same_keys_again),
		keys_test(the_object_is_signed_by_all_its_keys),
		keys_test(the_object_says_that_there_are_no_old_keys),
		keys_test(old_keys_are_published_with_their_end),
		keys_test(the_first_key_signs_and_stays_with_who_signs),
		keys_test(a_file_that_does_not_load_leaves_the_old_keys),
		keys_test(a_file_of_old_keys_alone_signs_nothing),
		keys_test(the_object_stays_the_same_for_half_of_its_validity),
		keys_test(the_validity_never_goes_backwards_with_the_clock),
		keys_test(people_see_signing_and_old_keys),
	};

	return cmocka_run_group_tests_name("keys/own_keys", tests, NULL, NULL);
}
