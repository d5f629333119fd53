#include "tests/support/key_fixture.h"

#include "shared/core/arena.h"
#include "shared/core/base64.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/crypto/ed25519.h"
#include "shared/crypto/sign_json.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define KEYS_MAX 4

static pthread_once_t crypto_once = PTHREAD_ONCE_INIT;

static struct mx_signing_key *make_key(const char *id, uint8_t seed)
{
	uint8_t bytes[MX_ED25519_SEED_LEN];

	pthread_once(&crypto_once, mx_crypto_init);
	memset(bytes, seed, sizeof(bytes));
	return mx_signing_key_new(id, bytes);
}

void key_fixture_public(uint8_t seed, uint8_t ret_public_key[32])
{
	struct mx_signing_key *key = make_key("ed25519:any", seed);

	memcpy(ret_public_key, mx_signing_key_public(key), 32);
	mx_signing_key_free(key);
}

static size_t keys_len(const struct made_object *made)
{
	size_t len = 0;

	while (len < KEYS_MAX && made->keys[len].id)
		len++;
	return len;
}

static void add_key(struct mx_str *out, const struct made_key *key)
{
	uint8_t public_key[32];

	key_fixture_public(key->seed, public_key);
	mx_str_addf(out, "%s\"%s\":{", out->ptr[out->len - 1] == '{' ? "" : ",", key->id);
	if (key->expired_ts)
		mx_str_addf(out, "\"expired_ts\":%lld,", (long long)key->expired_ts);
	mx_str_add_text(out, "\"key\":\"");
	mx_base64_add(out, public_key, sizeof(public_key));
	mx_str_add_text(out, "\"}");
}

static void add_keys(struct mx_str *out, const struct made_object *made, bool old)
{
	for (size_t i = 0; i < keys_len(made); i++)
		if ((made->keys[i].expired_ts != 0) == old)
			add_key(out, &made->keys[i]);
}

static void write_object(const struct made_object *made, struct mx_str *out)
{
	mx_str_add_char(out, '{');
	if (made->note)
		mx_str_addf(out, "\"note\":\"%s\",", made->note);
	mx_str_add_text(out, "\"old_verify_keys\":{");
	add_keys(out, made, true);
	mx_str_addf(out, "},\"server_name\":\"%s\",", made->server);
	if (made->unsigned_json)
		mx_str_addf(out, "\"unsigned\":%s,", made->unsigned_json);
	mx_str_addf(out, "\"valid_until_ts\":%lld,\"verify_keys\":{",
		    (long long)made->valid_until_ts);
	add_keys(out, made, false);
	mx_str_add_text(out, "}}");
}

struct mx_slice key_fixture_countersigned(struct mx_slice text, const char *by,
					  const struct made_key *key, struct mx_arena *mem)
{
	struct mx_signing_key *signing = make_key(key->id, key->seed);
	const struct mx_signing_key *const keys[] = { signing };
	mx_str_auto signed_bytes = { 0 };
	mx_str_auto out = { 0 };
	struct mx_json_doc doc;

	assert_int_equal(mx_json_scan(text, &mx_json_default_limits, mem, &doc, NULL), 0);
	assert_int_equal(mx_signed_bytes(&doc, &signed_bytes, NULL), 0);
	assert_int_equal(mx_countersign(&doc, mx_str_slice(&signed_bytes), by, keys, 1, &out, NULL),
			 0);
	mx_signing_key_free(signing);
	return mx_arena_slice(mem, mx_str_slice(&out));
}

struct mx_slice key_fixture_text(const struct made_object *made, struct mx_arena *mem)
{
	mx_str_auto object = { 0 };
	struct mx_slice text;

	write_object(made, &object);
	text = mx_arena_slice(mem, mx_str_slice(&object));
	for (size_t i = 0; i < keys_len(made); i++)
		if (!made->keys[i].expired_ts && !made->keys[i].silent)
			text = key_fixture_countersigned(text, made->server, &made->keys[i], mem);
	return text;
}

struct key_object key_fixture_object(const struct made_object *made, struct mx_arena *mem)
{
	enum key_policy policy = KEY_POLICY_ALL;
	struct key_object object;
	struct mx_error err = { 0 };

	for (size_t i = 0; i < keys_len(made); i++)
		if (made->keys[i].silent)
			policy = KEY_POLICY_ANY;
	if (key_object_check(key_fixture_text(made, mem), mx_slice(made->server), policy, mem,
			     &object, &err) != KEY_FINE)
		fail_msg("the made object is refused: %s", err.text);
	return object;
}
