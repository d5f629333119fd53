#include "homeserver/event/event_sign.h"

#include "homeserver/event/event.h"
#include "homeserver/event/event_build.h"
#include "homeserver/event/event_hash.h"
#include "homeserver/event/room_version.h"
#include "shared/core/alloc.h"
#include "shared/core/base64.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/crypto/ed25519.h"
#include "shared/crypto/sign_json.h"
#include "tests/support/arena_fixture.h"

/* Spec: appendices, "Cryptographic Test Vectors". */
#define SEED "YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1"

static struct mx_signing_key *vector_key(void)
{
	uint8_t seed[MX_ED25519_SEED_LEN];

	assert_true(mx_base64_decode_exact(MX_SLICE(SEED), seed, sizeof(seed)));
	return mx_signing_key_new("ed25519:1", seed);
}

static struct event parse(struct mx_arena *mem, const char *version, const char *text)
{
	struct event event;

	assert_int_equal(event_parse(room_version_find(mx_slice(version)), mx_slice(text), mem,
				     &event, NULL),
			 0);
	return event;
}

/* The specification's minimal event is of a version before event ids were hashes, without one:
 * version 3 has the same members. */
static void the_vector_of_the_specification_is_met(void **state)
{
	struct event event = parse(
		*state, "3",
		"{\"room_id\":\"!x:domain\",\"sender\":\"@a:domain\","
		"\"origin\":\"domain\",\"origin_server_ts\":1000000,"
		"\"signatures\":{},\"hashes\":{\"sha256\":\"5jM4wQpv6lnBo7CLIghJu"
		"HdW+s2CMBJPUOGOC89ncos\"},\"type\":\"X\",\"content\":{},"
		"\"prev_events\":[],\"auth_events\":[],\"depth\":3,"
		"\"unsigned\":{\"age_ts\":1000000}}");
	struct mx_signing_key *key = vector_key();
	mx_str_auto bytes = { 0 }, text = { 0 };
	uint8_t signature[MX_ED25519_SIG_LEN];

	assert_true(event_hash_matches(&event));
	event_signed_bytes(&event, &bytes);
	mx_signing_key_sign(key, mx_str_slice(&bytes), signature);
	mx_base64_add(&text, signature, sizeof(signature));
	assert_string_equal(text.ptr, "KxwGjPSDEtvnFgU00fwFz+l6d2pJM6XBIaMEn81SXPTRl16AqLAYqfIReFGZ"
				      "lHi5KLjAWbOoMszkwsQma+lYAg");
	mx_signing_key_free(key);
}

static struct event build(struct mx_arena *mem, const char *version, const json_t *content)
{
	static const struct event_reference before = { .id = { "$before:other.example", 21 } };
	struct mx_signing_key *key = vector_key();
	const struct event_draft draft = {
		.version = room_version_find(mx_slice(version)),
		.server = "domain",
		.key = key,
		.room_id = MX_SLICE("!r:domain"),
		.type = MX_SLICE("m.room.message"),
		.sender = MX_SLICE("@a:domain"),
		.content = content,
		.depth = 7,
		.origin_server_ts = 1234,
		.prev_events = &before,
		.prev_events_len = 1,
	};
	struct event event;

	assert_int_equal(event_build(&draft, mem, &event, NULL), 0);
	mx_signing_key_free(key);
	return event;
}

/* Good by the key that signed, and by no other. */
static void assert_signed(const struct event *event)
{
	struct mx_signing_key *key = vector_key();
	uint8_t other[MX_ED25519_PUBLIC_LEN];
	mx_str_auto bytes = { 0 };

	event_signed_bytes(event, &bytes);
	assert_int_equal(mx_check_signature(&event->doc, mx_str_slice(&bytes), MX_SLICE("domain"),
					    MX_SLICE("ed25519:1"), mx_signing_key_public(key)),
			 MX_SIG_GOOD);
	memset(other, 1, sizeof(other));
	assert_int_equal(mx_check_signature(&event->doc, mx_str_slice(&bytes), MX_SLICE("domain"),
					    MX_SLICE("ed25519:1"), other),
			 MX_SIG_BAD);
	mx_signing_key_free(key);
}

static void what_is_built_is_hashed_and_signed_in_every_version(void **state)
{
	json_t *content = json_pack("{s:s, s:{s:i}}", "body", "h\u00e9 \"quoted\"\n", "a", "b", 1);
	const struct room_version *version;

	for (size_t i = 0; (version = room_version_at(i)); i++) {
		struct event event = build(*state, version->id, content);
		struct event again = parse(*state, version->id, event.json.ptr);

		assert_true(event_hash_matches(&event));
		assert_signed(&event);
		assert_int_equal(event.depth, 7);
		assert_int_equal(event.prev_events_len, 1);
		assert_true(mx_slice_eq(again.id, event.id));
		assert_true(mx_slice_eq(again.json, event.json));
	}
	json_decref(content);
}

static void a_changed_event_keeps_its_signature_and_not_its_hash(void **state)
{
	json_t *content = json_pack("{s:s}", "body", "said");
	struct event event = build(*state, "10", content), changed;
	mx_autofree char *text = mx_strf("%.*s", MX_SLICE_ARG(event.json));
	char *at = strstr(text, "said");

	memcpy(at, "sold", 4);
	changed = parse(*state, "10", text);
	assert_false(event_hash_matches(&changed));
	assert_signed(&changed);
	assert_true(mx_slice_eq(changed.id, event.id));
	json_decref(content);
}

static void content_that_cannot_be_signed_is_refused(void **state)
{
	json_t *content = json_pack("{s:f}", "number", 1.5);
	struct mx_signing_key *key = vector_key();
	const struct event_draft draft = { .version = room_version_find(MX_SLICE("12")),
					   .server = "domain",
					   .key = key,
					   .room_id = MX_SLICE("!r"),
					   .type = MX_SLICE("x"),
					   .sender = MX_SLICE("@a:domain"),
					   .content = content };
	struct event event;

	assert_int_equal(event_build(&draft, *state, &event, NULL), -MX_BAD_JSON);
	mx_signing_key_free(key);
	json_decref(content);
}

static void a_second_server_signs_beside_the_first(void **state)
{
	json_t *content = json_pack("{s:s}", "body", "x");
	struct event event = build(*state, "9", content), both;
	struct mx_signing_key *key = vector_key();

	assert_int_equal(event_countersign(&event, "other.example", key, *state, &both, NULL), 0);
	assert_signed(&both);
	assert_true(mx_slice_eq(both.id, event.id));
	assert_non_null(strstr(both.json.ptr, "\"other.example\":{\"ed25519:1\":"));
	mx_signing_key_free(key);
	json_decref(content);
}

static void assert_signers(struct mx_arena *mem, const struct event *event, const char *expected)
{
	struct event_signers signers;
	mx_str_auto names = { 0 };

	event_signers_of(event, mem, &signers);
	for (size_t i = 0; i < signers.len; i++)
		mx_str_addf(&names, "%s%.*s", i ? " " : "", MX_SLICE_ARG(signers.servers[i]));
	assert_string_equal(names.ptr ? names.ptr : "", expected);
}

#define REST                                                                                  \
	"\"room_id\":\"!r:x\",\"origin_server_ts\":1,\"signatures\":{},\"hashes\":{},"        \
	"\"prev_events\":[],\"auth_events\":[],\"depth\":3,\"event_id\":\"$e:made.example\"," \
	"\"sender\":\"@a:a.example\",\"type\":\"m.room.member\",\"state_key\":\"@b:b.example\","

static void who_must_sign_follows_from_the_event(void **state)
{
	static const char join[] = "{" REST "\"content\":{\"membership\":\"join\","
				   "\"join_authorised_via_users_server\":\"@c:c.example\"}}";
	static const char invite[] = "{" REST "\"content\":{\"membership\":\"invite\","
				     "\"third_party_invite\":{}}}";
	struct event event = parse(*state, "10", join);

	assert_signers(*state, &event, "a.example c.example");
	event = parse(*state, "7", join);
	assert_signers(*state, &event, "a.example");
	event = parse(*state, "2", join);
	assert_signers(*state, &event, "a.example made.example");
	event = parse(*state, "10", invite);
	assert_signers(*state, &event, "");
	event = parse(*state, "1", invite);
	assert_signers(*state, &event, "made.example");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		arena_test(the_vector_of_the_specification_is_met),
		arena_test(what_is_built_is_hashed_and_signed_in_every_version),
		arena_test(a_changed_event_keeps_its_signature_and_not_its_hash),
		arena_test(content_that_cannot_be_signed_is_refused),
		arena_test(a_second_server_signs_beside_the_first),
		arena_test(who_must_sign_follows_from_the_event),
	};

	mx_crypto_init();
	return cmocka_run_group_tests_name("event/event_sign", tests, NULL, NULL);
}
