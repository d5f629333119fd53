/* What is accepted as a server's key object: tests/scenarios/key_object. A file has the name that
 * was asked, the object (or its text) with the signatures to make, and what comes of it. */
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/crypto/ed25519.h"
#include "shared/crypto/sign_json.h"
#include "shared/keys/key_object.h"
#include "tests/support/scenario.h"
#include "tests/support/signed_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>

/* "repeat": { "text", "count" } puts a long run in place of the text REPEAT. */
static struct mx_slice with_repeats(const struct scenario *scenario, struct mx_slice text)
{
	static const char mark[] = "REPEAT";
	const char *at = memmem(text.ptr, text.len, mark, strlen(mark));
	struct scenario repeat;
	mx_str_auto out = { 0 };

	if (!scenario_object(scenario, "repeat", &repeat))
		return text;
	assert_non_null(at);
	mx_str_add(&out, text.ptr, (size_t)(at - text.ptr));
	for (int64_t i = 0; i < scenario_int(&repeat, "count", 0); i++) {
		struct mx_slice piece = scenario_text(&repeat, "text");
		const char *number = memchr(piece.ptr, '#', piece.len);

		if (!number) {
			mx_str_add_slice(&out, piece);
			continue;
		}
		mx_str_add(&out, piece.ptr, (size_t)(number - piece.ptr));
		mx_str_addf(&out, "%d", (int)i);
		mx_str_add(&out, number + 1, (size_t)(piece.ptr + piece.len - number - 1));
	}
	mx_str_add(&out, at + strlen(mark), (size_t)(text.ptr + text.len - at) - strlen(mark));
	return mx_arena_slice(scenario->mem, mx_str_slice(&out));
}

static struct mx_slice text_of(const struct scenario *scenario)
{
	struct mx_slice text = scenario_text(scenario, "text");

	if (text.ptr)
		return with_repeats(scenario, text);
	return signed_fixture_object(scenario, scenario_raw(scenario, "object"));
}

static const struct key_entry_key *find(const struct key_object *object, struct mx_slice id,
					bool old)
{
	for (size_t i = 0; i < object->keys_len; i++) {
		if (mx_slice_eq(object->keys[i].id, id) && (object->keys[i].expired_ts != 0) == old)
			return &object->keys[i];
	}
	fail_msg("no key %.*s", MX_SLICE_ARG(id));
	return NULL;
}

static void check_keys(const struct scenario *scenario, const struct key_object *object)
{
	struct scenario expected;
	uint32_t cursor = 0;
	size_t count = 0;

	while (scenario_next(scenario, "keys", &cursor, &expected)) {
		int64_t expired_ts = scenario_int(&expected, "expired_ts", 0);
		const struct key_entry_key *key = find(object, scenario_text(&expected, "id"),
						       expired_ts != 0);
		uint8_t public_key[32];

		signed_fixture_bytes(scenario_text(&expected, "public_key"), public_key);
		assert_memory_equal(key->public_key, public_key, sizeof(public_key));
		assert_int_equal(key->expired_ts, expired_ts);
		assert_int_equal(key->strict_id, scenario_bool(&expected, "strict", true));
		assert_int_equal(key->compromised, scenario_bool(&expected, "compromised", false));
		count++;
	}
	assert_int_equal(object->keys_len, count);
}

/* What is accepted is kept to the last byte. */
static void check_object(const struct scenario *scenario, const struct key_object *object)
{
	struct mx_slice kept = scenario_text(scenario, "kept");

	assert_true(mx_slice_eq(object->server, scenario_text(scenario, "server")));
	assert_int_equal(object->valid_until_ts, scenario_int(scenario, "valid_until_ts", 0));
	assert_true(object->doc.text == object->bytes.ptr);
	if (scenario_has(scenario, "keys"))
		check_keys(scenario, object);
	if (kept.ptr)
		assert_non_null(memmem(object->bytes.ptr, object->bytes.len, kept.ptr, kept.len));
	else
		assert_true(mx_slice_eq(object->bytes, text_of(scenario)));
}

static void check_policy(const struct scenario *scenario, enum key_policy policy,
			 struct mx_slice expected)
{
	struct key_object object = { 0 };
	struct mx_error err = { 0 };
	struct mx_arena *mem = mx_arena_new(0);
	enum key_refusal refusal = key_object_check(
		text_of(scenario), scenario_text(scenario, "server"), policy, mem, &object, &err);

	if (!mx_slice_is(expected, key_refusal_name(refusal)))
		fail_msg("%s (%s), not %.*s", key_refusal_name(refusal), err.text,
			 MX_SLICE_ARG(expected));
	if (refusal == KEY_FINE) {
		check_object(scenario, &object);
	} else {
		assert_null(object.bytes.ptr);
		assert_true(err.text[0]);
	}
	mx_arena_free(mem);
}

/* "result" is for both policies; "result_any" for the one that is content with one signature. */
static void check(const struct scenario *scenario)
{
	struct mx_slice all = scenario_text(scenario, "result");
	struct mx_slice any = scenario_text(scenario, "result_any");

	assert_non_null(all.ptr);
	check_policy(scenario, KEY_POLICY_ALL, all);
	check_policy(scenario, KEY_POLICY_ANY, any.ptr ? any : all);
}

int main(void)
{
	mx_crypto_init();
	return scenarios_run("key_object", check);
}
