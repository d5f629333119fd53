/* wrap: req_wake_new req_wake req_wake_unref */
#include "homeserver/account/password.h"

#include "homeserver/account/account_conf.h"
#include "homeserver/hs.h"
#include "homeserver/hs_conf.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/thread.h"
#include "shared/crypto/ed25519.h"
#include "shared/http/request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

/* A handle that a test waits for; the real one belongs to a connection. */
struct req_wake {
	pthread_mutex_t lock;
	pthread_cond_t woken;
	bool is_woken;
	unsigned refs;
};

struct req_wake *__wrap_req_wake_new(struct req *r, int64_t timeout_ms);
void __wrap_req_wake(struct req_wake *wake);
void __wrap_req_wake_unref(struct req_wake *wake);

static _Thread_local struct req_wake *newest;

static void unref(struct req_wake *wake)
{
	unsigned left;

	pthread_mutex_lock(&wake->lock);
	left = --wake->refs;
	pthread_mutex_unlock(&wake->lock);
	if (left > 0)
		return;
	pthread_mutex_destroy(&wake->lock);
	pthread_cond_destroy(&wake->woken);
	free(wake);
}

struct req_wake *__wrap_req_wake_new(struct req *r, int64_t timeout_ms)
{
	struct req_wake *wake = calloc(1, sizeof(*wake));

	(void)r;
	assert_true(timeout_ms > 0);
	pthread_mutex_init(&wake->lock, NULL);
	pthread_cond_init(&wake->woken, NULL);
	wake->refs = 2; /* the caller's, and the test's */
	newest = wake;
	return wake;
}

void __wrap_req_wake(struct req_wake *wake)
{
	pthread_mutex_lock(&wake->lock);
	wake->is_woken = true;
	pthread_cond_signal(&wake->woken);
	pthread_mutex_unlock(&wake->lock);
}

void __wrap_req_wake_unref(struct req_wake *wake)
{
	unref(wake);
}

static void wait_for(struct req_wake *wake)
{
	pthread_mutex_lock(&wake->lock);
	while (!wake->is_woken)
		pthread_cond_wait(&wake->woken, &wake->lock);
	pthread_mutex_unlock(&wake->lock);
	unref(wake);
}

/* ---- */

struct server {
	struct hs hs;
	struct hs_conf conf;
};

static int setup(void **state)
{
	struct server *server = mx_calloc(1, sizeof(*server));

	mx_crypto_init();
	server->conf.password = (struct password_conf){
		.length_min = 8,
		.memory_kib = 8,
		.passes = 1,
		.at_once = 2,
	};
	server->hs.conf = &server->conf;
	server->hs.passwords = passwords_new(&server->conf.password, NULL);
	*state = server;
	return 0;
}

static int teardown(void **state)
{
	struct server *server = *state;

	passwords_free(server->hs.passwords);
	mx_free(server);
	return 0;
}

static struct req begin(struct server *server)
{
	return (struct req){ .app = &server->hs, .mem = mx_arena_new(0) };
}

static void end(struct req *r)
{
	if (r->kept)
		r->kept_free(r->kept);
	mx_arena_free(r->mem);
}

/* Runs the handler until it has the hash. */
static char *hash_of(struct server *server, const char *password)
{
	struct req r = begin(server);
	const char *hash = NULL;
	char *copy;

	assert_int_equal(password_hash(&r, password, &hash), -MX_PARK);
	wait_for(newest);
	assert_int_equal(password_hash(&r, password, &hash), 0);
	copy = mx_strdup(hash);
	end(&r);
	return copy;
}

static struct password_verdict verdict_of(struct req *r, const char *password, const char *hash)
{
	struct password_verdict verdict;

	assert_int_equal(password_verify(r, password, hash, &verdict), -MX_PARK);
	wait_for(newest);
	assert_int_equal(password_verify(r, password, hash, &verdict), 0);
	return verdict;
}

static bool is_right(struct server *server, const char *password, const char *hash)
{
	struct req r = begin(server);
	bool right = verdict_of(&r, password, hash).right;

	end(&r);
	return right;
}

static void a_password_is_right_with_its_hash_only(void **state)
{
	mx_autofree char *hash = hash_of(*state, "correct horse");

	assert_true(mx_starts_with(hash, "$argon2id$"));
	assert_true(is_right(*state, "correct horse", hash));
	assert_false(is_right(*state, "correct horsf", hash));
	assert_false(is_right(*state, "", hash));
	assert_false(is_right(*state, "correct horse", "no hash"));
	assert_false(is_right(*state, "correct horse", NULL));
}

static void nobody_has_the_password_of_the_dummy(void **state)
{
	assert_false(is_right(*state, "nobody's", NULL));
}

static void hashes_of_the_same_password_differ(void **state)
{
	mx_autofree char *one = hash_of(*state, "correct horse");
	mx_autofree char *two = hash_of(*state, "correct horse");

	assert_string_not_equal(one, two);
}

static void a_request_that_is_run_again_has_its_result(void **state)
{
	mx_autofree char *hash = hash_of(*state, "correct horse");
	struct req r = begin(*state);
	struct password_verdict verdict;
	const char *made, *again;

	verdict_of(&r, "correct horse", hash);
	assert_int_equal(password_hash(&r, "another", &made), -MX_PARK);
	wait_for(newest);
	/* From the start: both are there. */
	assert_int_equal(password_verify(&r, "correct horse", hash, &verdict), 0);
	assert_true(verdict.right);
	assert_int_equal(password_hash(&r, "another", &made), 0);
	assert_int_equal(password_hash(&r, "another", &again), 0);
	assert_string_equal(made, again);
	/* The account has changed meanwhile. */
	assert_int_equal(password_verify(&r, "correct horse", made, &verdict), -MX_PARK);
	wait_for(newest);
	password_forget(&r);
	end(&r);
}

static void a_hash_of_another_price_is_made_anew(void **state)
{
	struct server *server = *state;
	mx_autofree char *hash = hash_of(server, "correct horse");
	struct req r = begin(server);
	struct password_verdict verdict;

	assert_null(verdict_of(&r, "correct horse", hash).better);
	end(&r);
	server->conf.password.memory_kib = 16;
	passwords_set(server->hs.passwords, &server->conf.password);
	r = begin(server);
	verdict = verdict_of(&r, "correct horse", hash);
	assert_true(verdict.right);
	assert_non_null(verdict.better);
	assert_true(is_right(server, "correct horse", verdict.better));
	assert_null(verdict_of(&r, "wrong", hash).better);
	end(&r);
}

static void a_request_that_leaves_is_forgotten(void **state)
{
	for (unsigned i = 0; i < 20; i++) {
		struct req r = begin(*state);
		const char *hash;

		assert_int_equal(password_hash(&r, "correct horse", &hash), -MX_PARK);
		unref(newest);
		end(&r);
	}
}

#define MANY 600

static void so_many_wait_and_no_more(void **state)
{
	struct server *server = *state;
	struct req requests[MANY];
	unsigned parked = 0, refused = 0;

	/* Slow enough that they do not end while the others come. */
	server->conf.password.memory_kib = 4096;
	passwords_set(server->hs.passwords, &server->conf.password);
	for (unsigned i = 0; i < MANY; i++) {
		const char *hash;
		int rc;

		requests[i] = begin(server);
		rc = password_hash(&requests[i], "correct horse", &hash);
		unref(newest);
		if (rc == -MX_PARK)
			parked++;
		else if (rc == -MX_LIMIT_EXCEEDED && requests[i].err.retry_after_ms > 0)
			refused++;
	}
	assert_int_equal(parked + refused, MANY);
	assert_true(parked >= 200 && refused > 0);
	for (unsigned i = 0; i < MANY; i++)
		end(&requests[i]);
}

static int check(struct server *server, const char *password)
{
	struct req r = begin(server);
	int rc = password_check_new(&r, password);

	end(&r);
	return rc;
}

static void new_passwords_have_a_length(void **state)
{
	char longest[PASSWORD_MAX + 2] = { 0 };

	assert_int_equal(check(*state, ""), -MX_WEAK_PASSWORD);
	assert_int_equal(check(*state, "1234567"), -MX_WEAK_PASSWORD);
	assert_int_equal(check(*state, "12345678"), 0);
	assert_int_equal(check(*state, "\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc"), -MX_WEAK_PASSWORD);
	memset(longest, 'x', PASSWORD_MAX);
	assert_int_equal(check(*state, longest), 0);
	longest[PASSWORD_MAX] = 'x';
	assert_int_equal(check(*state, longest), -MX_INVALID_PARAM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_password_is_right_with_its_hash_only),
		cmocka_unit_test(nobody_has_the_password_of_the_dummy),
		cmocka_unit_test(hashes_of_the_same_password_differ),
		cmocka_unit_test(a_request_that_is_run_again_has_its_result),
		cmocka_unit_test(a_request_that_leaves_is_forgotten),
		cmocka_unit_test(new_passwords_have_a_length),
		cmocka_unit_test(a_hash_of_another_price_is_made_anew),
		cmocka_unit_test(so_many_wait_and_no_more),
	};

	return cmocka_run_group_tests_name("homeserver/account/password", tests, setup, teardown);
}
