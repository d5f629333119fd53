#include "identity/bind/unbind_proof.h"

#include "identity/bind/key_waits.h"
#include "identity/identity.h"
#include "identity/identity_conf.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/crypto/ed25519.h"
#include "shared/keys/key_ring.h"
#include "shared/threepid/claim.h"
#include "tests/support/signed_fixture.h"
#include "tests/support/store_fixture.h"

/* wrap: claim_proof threepid_same key_ring_find key_ring_peek */

#define SEED "YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1"
#define SIGNED_IS \
	"OMw+ucibeLXcy0xcHxg8PY/GwftAVLgMvToEaFavCAHH5YPwx+aFZQy2nS5DvL92sAwxhRu3i/icS5vZe+UUCQ"
#define SIGNED \
	"SyPCUlnG/Hgo+lfADkvw7VUgnXvLB9GKAQOQjKfGB1eLJ+BYZSWkb87VpkKrRybp6s9ATY9Q/p6eR9u+ZnEVAw"
#define CONTENT                                                                \
	"{\"mxid\":\"@alice:example.org\",\"threepid\":{\"medium\":\"email\"," \
	"\"address\":\"alice@example.com\"}}"

/* ---- the modules that this one asks */

static int proof_answer;

int __wrap_claim_proof(const struct claim_call *call, const char *id, const char *client_secret,
		       struct claim *ret_session, struct mx_error *err);

int __wrap_claim_proof(const struct claim_call *call, const char *id, const char *client_secret,
		       struct claim *ret_session, struct mx_error *err)
{
	(void)call;
	assert_string_equal(id, "sid");
	assert_string_equal(client_secret, "secret");
	if (proof_answer)
		return mx_fail(err, (enum mx_code) - proof_answer, "its own words");
	*ret_session = (struct claim){ .threepid = { "email", "alice@example.com" } };
	return 0;
}

bool __wrap_threepid_same(const struct threepid *a, const struct threepid *b);

bool __wrap_threepid_same(const struct threepid *a, const struct threepid *b)
{
	return streq(a->medium, b->medium) && streq(a->address, b->address);
}

static int peek_answer, find_answer;

static int give_key(uint8_t ret_public_key[32], int rc)
{
	struct mx_signing_key *key;

	if (rc)
		return rc;
	key = signed_fixture_key("ed25519:a1", MX_SLICE(SEED));
	memcpy(ret_public_key, mx_signing_key_public(key), 32);
	mx_signing_key_free(key);
	return 0;
}

int __wrap_key_ring_peek(struct key_ring *ring, struct mx_slice server, struct mx_slice key_id,
			 int64_t at_ms, bool for_request, uint8_t ret_public_key[32],
			 struct mx_error *err);
int __wrap_key_ring_find(struct key_ring *ring, struct mx_slice server, struct mx_slice key_id,
			 int64_t at_ms, bool for_request, uint8_t ret_public_key[32],
			 struct mx_error *err);

int __wrap_key_ring_peek(struct key_ring *ring, struct mx_slice server, struct mx_slice key_id,
			 int64_t at_ms, bool for_request, uint8_t ret_public_key[32],
			 struct mx_error *err)
{
	(void)ring;
	(void)at_ms;
	(void)err;
	assert_true(mx_slice_is(server, "example.org"));
	assert_true(mx_slice_is(key_id, "ed25519:a1"));
	assert_true(for_request);
	return give_key(ret_public_key, peek_answer);
}

int __wrap_key_ring_find(struct key_ring *ring, struct mx_slice server, struct mx_slice key_id,
			 int64_t at_ms, bool for_request, uint8_t ret_public_key[32],
			 struct mx_error *err)
{
	(void)ring;
	(void)server;
	(void)key_id;
	(void)at_ms;
	(void)for_request;
	(void)err;
	return give_key(ret_public_key, find_answer);
}

/* ---- asking */

static char server_name[] = "id.example.org", base_url[] = "https://other.example.org:8090/base";

struct asking {
	const char *authorization, *target, *user_id, *server_name, *base_url, *name;
	bool may_wait;
};

static int ask(const struct asking *asking)
{
	mx_arena_auto *mem = mx_arena_new(0);
	char *names[] = { (char *)(uintptr_t)asking->name };
	struct identity_conf conf = { .server_name = server_name, .public_base_url = base_url };
	struct identity identity = { .conf = &conf, .key_waits = key_waits_new(8) };
	const struct identity_call call = { .identity = &identity, .mem = mem };
	const struct unbind_request request = {
		.authorization = asking->authorization,
		.target = asking->target ? asking->target : "/_matrix/identity/v2/3pid/unbind",
		.content = MX_SLICE(CONTENT),
		.user_id = asking->user_id ? asking->user_id : "@alice:example.org",
		.client = "192.0.2.1",
		.may_wait = asking->may_wait,
	};
	int rc;

	if (asking->server_name)
		conf.server_name = (char *)(uintptr_t)asking->server_name;
	if (asking->base_url)
		conf.public_base_url = (char *)(uintptr_t)asking->base_url;
	if (asking->name) {
		conf.binding.names = names;
		conf.binding.names_count = 1;
	}
	rc = unbind_proof_homeserver(&call, &request, NULL);
	key_waits_free(identity.key_waits);
	return rc;
}

static int ask_with(const char *authorization)
{
	return ask(&(struct asking){ .authorization = authorization });
}

#define HEADER(sig) "X-Matrix origin=example.org,key=\"ed25519:a1\",sig=\"" sig "\""

static void begin(void)
{
	peek_answer = find_answer = proof_answer = 0;
}

static void both_names_of_the_destination_are_accepted(void **state)
{
	(void)state;
	begin();
	assert_int_equal(ask_with(HEADER(SIGNED_IS)), 0);
	assert_int_equal(ask_with(HEADER(SIGNED)), 0);
}

static void headers_of_any_form_are_read(void **state)
{
	(void)state;
	begin();
	assert_int_equal(ask_with("X-Matrix KEY=ed25519:a1, sig=\"" SIGNED_IS
				  "\",  Origin=\"example.org\", new=\"thing\""),
			 0);
	assert_int_equal(ask_with(HEADER(SIGNED_IS) ",destination=\"id.example.org\""), 0);
}

static void what_is_for_somebody_else_is_refused(void **state)
{
	(void)state;
	begin();
	assert_int_equal(ask_with(HEADER(SIGNED_IS) ",destination=\"other\""), -MX_NO_PROOF);
	assert_int_equal(ask(&(struct asking){ .authorization = HEADER(SIGNED_IS),
					       .server_name = "renamed.example.org" }),
			 -MX_NO_PROOF);
}

static void all_names_that_clients_type_are_ours(void **state)
{
	static const char *const urls[] = { "https://id.example.org", "https://id.example.org:8090",
					    "https://id.example.org/base" };

	(void)state;
	begin();
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
		assert_int_equal(ask(&(struct asking){ .authorization = HEADER(SIGNED_IS),
						       .server_name = "renamed.example.org",
						       .base_url = urls[i] }),
				 0);
	assert_int_equal(ask(&(struct asking){ .authorization = HEADER(SIGNED_IS),
					       .server_name = "renamed.example.org",
					       .name = "id.example.org" }),
			 0);
}

static void another_path_or_user_is_not_what_was_signed(void **state)
{
	(void)state;
	begin();
	assert_int_equal(ask(&(struct asking){ .authorization = HEADER(SIGNED_IS),
					       .target = "/_matrix/identity/api/v1/3pid/unbind" }),
			 -MX_NO_PROOF);
	assert_int_equal(ask(&(struct asking){ .authorization = HEADER(SIGNED_IS),
					       .user_id = "@alice:notexample.org" }),
			 -MX_FORBIDDEN);
	assert_int_equal(ask(&(struct asking){ .authorization = HEADER(SIGNED_IS),
					       .user_id = "@alice:example.org:8448" }),
			 -MX_FORBIDDEN);
}

static void no_failure_of_a_signature_is_a_bad_request(void **state)
{
	static const char *const headers[] = { NULL, "Bearer token", "X-Matrix", "X-Matrix origin=",
					       "X-Matrix origin=example.org,key=x,sig=y" };

	(void)state;
	begin();
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		assert_int_equal(ask_with(headers[i]), -MX_NO_PROOF);
	peek_answer = -MX_NOT_FOUND;
	assert_int_equal(ask_with(HEADER(SIGNED_IS)), -MX_NO_PROOF);
	assert_int_equal(mx_errc(MX_NO_PROOF)->status, 401);
}

static void a_key_is_fetched_only_where_one_may_wait(void **state)
{
	(void)state;
	begin();
	peek_answer = -MX_MOVE_NET;
	assert_int_equal(ask_with(HEADER(SIGNED_IS)), -MX_MOVE_NET);
	assert_int_equal(
		ask(&(struct asking){ .authorization = HEADER(SIGNED_IS), .may_wait = true }), 0);
	find_answer = -MX_REMOTE_FAILED;
	assert_int_equal(
		ask(&(struct asking){ .authorization = HEADER(SIGNED_IS), .may_wait = true }),
		-MX_REMOTE_FAILED);
}

/* ---- by a session */

static int ask_session(const char *address, int answer)
{
	const struct threepid threepid = { "email", address };
	const struct identity_call call = { 0 };

	proof_answer = answer;
	return unbind_proof_session(&call, "sid", "secret", &threepid, NULL);
}

static void a_session_proves_its_own_address(void **state)
{
	(void)state;
	assert_int_equal(ask_session("alice@example.com", 0), 0);
	assert_int_equal(ask_session("bob@example.com", 0), -MX_FORBIDDEN);
}

static void homeservers_do_not_forget_what_a_session_failed_to_unbind(void **state)
{
	static const int failures[] = { -MX_NO_VALID_SESSION, -MX_SESSION_EXPIRED,
					-MX_SESSION_NOT_VALIDATED };

	(void)state;
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		int rc = ask_session("alice@example.com", failures[i]);
		const struct mx_errc *row = mx_errc((enum mx_code) - rc);

		assert_string_equal(row->errcode, mx_errc((enum mx_code) - failures[i])->errcode);
		assert_int_equal(row->status, i == 0 ? 401 : 403);
	}
	assert_int_equal(ask_session("alice@example.com", -MX_STORE), -MX_STORE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_names_of_the_destination_are_accepted),
		cmocka_unit_test(headers_of_any_form_are_read),
		cmocka_unit_test(what_is_for_somebody_else_is_refused),
		cmocka_unit_test(all_names_that_clients_type_are_ours),
		cmocka_unit_test(another_path_or_user_is_not_what_was_signed),
		cmocka_unit_test(no_failure_of_a_signature_is_a_bad_request),
		cmocka_unit_test(a_key_is_fetched_only_where_one_may_wait),
		cmocka_unit_test(a_session_proves_its_own_address),
		cmocka_unit_test(homeservers_do_not_forget_what_a_session_failed_to_unbind),
	};

	mx_crypto_init();
	return cmocka_run_group_tests_name("unbind_proof", tests, NULL, NULL);
}
