/* wrap: req_header req_query req_query_twice */
#include "homeserver/account/authn.h"

#include "homeserver/account/account.h"
#include "homeserver/account/device.h"
#include "homeserver/account/session.h"
#include "homeserver/registration/register.h"
#include "homeserver/routes.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/thread.h"
#include "shared/core/time.h"
#include "shared/http/request.h"
#include "tests/support/hs_fixture.h"

#include <stdatomic.h>

#define ANN     "@ann:here.example"
#define ROUNDS  100
#define READERS 3

const char *__wrap_req_header(const struct req *r, const char *name);
const char *__wrap_req_query(struct req *r, const char *name);
bool __wrap_req_query_twice(struct req *r, const char *name);

/* What the request of this thread says. */
static _Thread_local const char *header, *query, *agent;
static _Thread_local bool twice;

const char *__wrap_req_header(const struct req *r, const char *name)
{
	(void)r;
	return streq(name, "User-Agent") ? agent : header;
}

const char *__wrap_req_query(struct req *r, const char *name)
{
	(void)r;
	(void)name;
	return query;
}

bool __wrap_req_query_twice(struct req *r, const char *name)
{
	(void)r;
	(void)name;
	return twice;
}

static const struct route plain = { GET, "/", NULL, .auth = AUTH_USER };

static int setup(void **state)
{
	int rc = hs_fixture_setup(state);
	struct hs_fixture *f = *state;

	f->hs.authn = authn_new(&f->hs);
	f->conf.sessions.access_minutes = 60;
	header = query = agent = NULL;
	twice = false;
	return rc;
}

static int teardown(void **state)
{
	struct hs_fixture *f = *state;

	authn_free(f->hs.authn);
	return hs_fixture_teardown(state);
}

#define authn_test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

/* Ann, signed in with PHONE. */
static struct session_pair sign_in(struct hs_fixture *f, unsigned flags)
{
	const struct account account = { .user = ANN, .flags = flags };
	struct device device = { .user = ANN, .id = "PHONE" };
	struct session_pair pair;

	if (!account_exists(&f->call, mx_slice(ANN)))
		assert_int_equal(register_account(&f->call, &account, NULL), 0);
	device.session = session_begin(&f->call, ANN, "PHONE", true, &pair);
	device_put(&f->call, &device);
	hs_fixture_write(f);
	return pair;
}

/* One request; in the lane where nothing may be read of the store if `memory_only`. */
static int ask_route(struct hs_fixture *f, const char *token, const struct route *route,
		     bool memory_only)
{
	mx_arena_auto *mem = mx_arena_new(0);
	mx_autofree char *bearer = mx_strf("Bearer %s", token);
	struct req r = {
		.mem = mem,
		.app = &f->hs,
		.route = route,
		.method = route->method,
		.client = "192.0.2.1",
		.lane = memory_only ? LANE_IO : LANE_WORK,
	};
	int rc;

	header = bearer;
	rc = authn_authenticate(&r);
	header = NULL;
	if (rc == 0) {
		assert_string_equal(r.user, ANN);
		assert_string_equal(r.device, "PHONE");
	}
	json_decref(r.err_fields);
	return rc;
}

/* What a request notes of its device is written behind its back: until it is there. */
static struct device settled(struct hs_fixture *f)
{
	struct device device;

	do {
		store_txn_abort(f->call.txn);
		f->call.txn = store_txn_begin(f->hs.store);
		assert_int_equal(device_load(&f->call, ANN, "PHONE", &device), 0);
	} while (device.seen_ms != f->call.now_ms);
	return device;
}

static int ask(struct hs_fixture *f, const char *token)
{
	return ask_route(f, token, &plain, false);
}

static int ask_memory(struct hs_fixture *f, const char *token)
{
	return ask_route(f, token, &plain, true);
}

static void a_token_is_read_once(void **state)
{
	struct session_pair pair = sign_in(*state, 0);

	assert_int_equal(ask_memory(*state, pair.access), -MX_MOVE_WORK);
	assert_int_equal(ask(*state, pair.access), 0);
	assert_int_equal(ask_memory(*state, pair.access), 0);
}

static void a_request_is_written_down_every_few_minutes(void **state)
{
	struct session_pair pair = sign_in(*state, 0);
	struct hs_fixture *f = *state;
	struct device device;

	agent = "Pigeon \xf0\x9f\x95\x8a \xff";
	assert_int_equal(ask(f, pair.access), 0);
	device = settled(f);
	assert_string_equal(device.ip, "192.0.2.1");
	assert_string_equal(device.user_agent, "Pigeon \xf0\x9f\x95\x8a ");
	hs_fixture_at(f, HS_FIXTURE_NOW + MX_MINUTE_MS);
	assert_int_equal(ask_memory(f, pair.access), 0);
	hs_fixture_at(f, HS_FIXTURE_NOW + 3 * MX_MINUTE_MS);
	assert_int_equal(ask_memory(f, pair.access), -MX_MOVE_WORK);
	assert_int_equal(ask(f, pair.access), 0);
	assert_int_equal(ask_memory(f, pair.access), 0);
}

static void a_token_ends_in_memory_too(void **state)
{
	struct session_pair pair = sign_in(*state, 0);

	assert_int_equal(ask(*state, pair.access), 0);
	hs_fixture_at(*state, HS_FIXTURE_NOW + MX_HOUR_MS);
	assert_int_equal(ask(*state, pair.access), -MX_UNKNOWN_TOKEN);
}

static void a_revoked_token_is_unknown_at_once(void **state)
{
	struct session_pair pair = sign_in(*state, 0);
	struct hs_fixture *f = *state;

	assert_int_equal(ask(f, pair.access), 0);
	settled(f);
	assert_int_equal(device_delete(&f->call, ANN, "PHONE"), 0);
	hs_fixture_write(f);
	assert_int_equal(ask(f, pair.access), -MX_UNKNOWN_TOKEN);
}

static void the_first_use_of_a_new_pair_ends_the_old_one(void **state)
{
	struct session_pair one = sign_in(*state, 0), two;
	struct hs_fixture *f = *state;
	const char *user;

	assert_int_equal(ask(f, one.access), 0);
	settled(f);
	assert_int_equal(session_refresh(&f->call, mx_slice(one.refresh), &user, &two), 0);
	hs_fixture_write(f);
	assert_int_equal(ask(f, one.access), 0);
	assert_int_equal(ask(f, two.access), 0);
	assert_int_equal(ask(f, one.access), -MX_UNKNOWN_TOKEN);
	assert_int_equal(ask(f, two.access), 0);
	assert_int_equal(ask_memory(f, two.access), 0);
}

static void flags_count_from_the_next_request_on(void **state)
{
	static const struct route write = { POST, "/", NULL, .auth = AUTH_USER };
	static const struct route leave = { POST, "/", NULL, .auth = AUTH_USER,
					    .flags = ROUTE_SUSPENDED | ROUTE_LOCKED };
	struct session_pair pair = sign_in(*state, 0);
	struct hs_fixture *f = *state;

	assert_int_equal(ask_route(f, pair.access, &write, false), 0);
	account_set_flags(&f->call, ANN, ACCOUNT_SUSPENDED, 0);
	hs_fixture_write(f);
	assert_int_equal(ask_route(f, pair.access, &write, false), -MX_USER_SUSPENDED);
	assert_int_equal(ask_route(f, pair.access, &plain, false), 0);
	assert_int_equal(ask_route(f, pair.access, &leave, false), 0);
	account_set_flags(&f->call, ANN, ACCOUNT_LOCKED, ACCOUNT_SUSPENDED);
	hs_fixture_write(f);
	assert_int_equal(ask_route(f, pair.access, &plain, false), -MX_USER_LOCKED);
	assert_int_equal(ask_route(f, pair.access, &leave, false), 0);
	account_set_flags(&f->call, ANN, ACCOUNT_DEACTIVATED, ACCOUNT_LOCKED);
	hs_fixture_write(f);
	assert_int_equal(ask_route(f, pair.access, &leave, false), -MX_UNKNOWN_TOKEN);
}

static void guests_come_in_where_they_may(void **state)
{
	static const struct route open = { GET, "/", NULL, .auth = AUTH_USER,
					   .flags = ROUTE_GUESTS };
	static const struct route either = { GET, "/", NULL, .auth = AUTH_USER_OR_GUEST };
	struct session_pair pair = sign_in(*state, ACCOUNT_GUEST);

	assert_int_equal(ask_route(*state, pair.access, &plain, false), -MX_GUEST_FORBIDDEN);
	assert_int_equal(ask_route(*state, pair.access, &open, false), 0);
	assert_int_equal(ask_route(*state, pair.access, &either, false), 0);
}

/* ---- where the token stands */

static int ask_raw(struct hs_fixture *f, enum route_auth auth)
{
	const struct route route = { GET, "/", NULL, .auth = auth };
	mx_arena_auto *mem = mx_arena_new(0);
	struct req r = {
		.mem = mem, .app = &f->hs, .route = &route, .method = GET, .client = "192.0.2.1"
	};
	int rc = authn_authenticate(&r);

	json_decref(r.err_fields);
	return rc;
}

static void a_request_has_one_token(void **state)
{
	struct session_pair pair = sign_in(*state, 0);

	assert_int_equal(ask_raw(*state, AUTH_USER), -MX_MISSING_TOKEN);
	assert_int_equal(ask_raw(*state, AUTH_OPTIONAL), 0);
	header = "Basic YTpi";
	assert_int_equal(ask_raw(*state, AUTH_USER), -MX_MISSING_TOKEN);
	header = "Bearer";
	assert_int_equal(ask_raw(*state, AUTH_USER), -MX_UNKNOWN_TOKEN);
	header = "Bearerx";
	assert_int_equal(ask_raw(*state, AUTH_USER), -MX_MISSING_TOKEN);
	header = NULL;
	query = pair.access;
	assert_int_equal(ask_raw(*state, AUTH_USER), 0);
	twice = true;
	assert_int_equal(ask_raw(*state, AUTH_USER), -MX_INVALID_PARAM);
	twice = false;
	header = "Bearer x";
	assert_int_equal(ask_raw(*state, AUTH_USER), -MX_INVALID_PARAM);
	query = NULL;
	assert_int_equal(ask_raw(*state, AUTH_OPTIONAL), -MX_UNKNOWN_TOKEN);
}

static void a_users_token_is_no_servers(void **state)
{
	struct session_pair pair = sign_in(*state, 0);

	query = pair.access;
	assert_int_equal(ask_raw(*state, AUTH_SERVER), -MX_UNAUTHORIZED);
	assert_int_equal(ask_raw(*state, AUTH_APPSERVICE), -MX_UNAUTHORIZED);
}

/* ---- many at once */

struct race {
	struct hs_fixture *f;
	char token[SESSION_TOKEN_LEN + 1];
	_Atomic bool revoked, stop;
	_Atomic unsigned late; /* let in after the revocation */
};

static void *keep_asking(void *ctx)
{
	struct race *race = ctx;

	while (!race->stop) {
		bool revoked = race->revoked;

		if (ask(race->f, race->token) == 0 && revoked)
			race->late++;
	}
	return NULL;
}

static void nobody_is_let_in_after_a_revocation(void **state)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct race race = { .f = *state };
		struct session_pair pair = sign_in(*state, 0);
		pthread_t threads[READERS];

		memcpy(race.token, pair.access, sizeof(race.token));
		for (unsigned t = 0; t < READERS; t++)
			threads[t] = mx_thread_start("asker", keep_asking, &race);
		assert_int_equal(device_delete(&race.f->call, ANN, "PHONE"), 0);
		while (store_txn_commit(race.f->call.txn, NULL) == -MX_CONFLICT) {
			race.f->call.txn = store_txn_begin(race.f->hs.store);
			assert_int_equal(device_delete(&race.f->call, ANN, "PHONE"), 0);
		}
		race.revoked = true;
		race.f->call.txn = store_txn_begin(race.f->hs.store);
		assert_int_equal(ask(*state, pair.access), -MX_UNKNOWN_TOKEN);
		race.stop = true;
		for (unsigned t = 0; t < READERS; t++)
			pthread_join(threads[t], NULL);
		assert_int_equal(race.late, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		authn_test(a_token_is_read_once),
		authn_test(a_request_is_written_down_every_few_minutes),
		authn_test(a_token_ends_in_memory_too),
		authn_test(a_revoked_token_is_unknown_at_once),
		authn_test(the_first_use_of_a_new_pair_ends_the_old_one),
		authn_test(flags_count_from_the_next_request_on),
		authn_test(guests_come_in_where_they_may),
		authn_test(a_request_has_one_token),
		authn_test(a_users_token_is_no_servers),
		authn_test(nobody_is_let_in_after_a_revocation),
	};

	return cmocka_run_group_tests_name("homeserver/account/authn", tests, NULL, NULL);
}
