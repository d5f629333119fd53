/* wrap: message_mail listed_or_bound threepid_parse */
#include "identity/invite/invite.h"

#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/json/json.h"
#include "tests/support/invite_fixture.h"
#include "tests/support/store_fixture.h"

#include <string.h>

#define ALICE "@alice:example.org"

static const struct threepid mail = { "email", "alice@example.com" };

static const char *invite(struct invite_fixture *f)
{
	struct invite_answer answer = { 0 };

	assert_int_equal(invite_fixture_invite(f, mail.address, NULL, &answer), 0);
	return answer.token;
}

static struct invite load(struct invite_fixture *f, const char *token)
{
	struct invite loaded;

	assert_int_equal(invite_load(&f->call, token, &loaded), 0);
	return loaded;
}

/* Notices that wait. */
static size_t notices(struct invite_fixture *f)
{
	json_t *list = outbox_list(f->identity.outbox, "onbind", 0, 100);
	size_t len = json_array_size(jarr(list, "items"));

	json_decref(list);
	return len;
}

static void every_pending_invite_has_a_notice_of_its_own(void **state)
{
	struct invite_fixture *f = *state;
	const char *first = invite(f), *second = invite(f);

	invite_fixture_commit(f);
	invite_fixture_bind(f, mail.address, ALICE);
	invite_fixture_commit(f);
	assert_int_equal(notices(f), 2);
	assert_int_equal(load(f, first).state, INVITE_BOUND);
	assert_string_equal(load(f, first).user_id, ALICE);
	assert_int_equal(load(f, second).state, INVITE_BOUND);
	assert_true(load(f, first).notice_id != load(f, second).notice_id);
}

static void binding_again_tells_nobody_again(void **state)
{
	struct invite_fixture *f = *state;
	const char *token = invite(f);

	invite_fixture_bind(f, mail.address, ALICE);
	invite_fixture_bind(f, mail.address, "@eve:example.net");
	invite_fixture_commit(f);
	assert_int_equal(notices(f), 1);
	assert_string_equal(load(f, token).user_id, ALICE);
}

static void invites_of_others_are_left_alone(void **state)
{
	struct invite_fixture *f = *state;
	const char *token = invite(f);

	invite_fixture_bind(f, "alice@example.co", ALICE);
	invite_fixture_bind(f, "alice@example.comm", ALICE);
	invite_fixture_commit(f);
	assert_int_equal(notices(f), 0);
	assert_int_equal(load(f, token).state, INVITE_PENDING);
}

static void a_user_without_a_server_leaves_invites_pending(void **state)
{
	struct invite_fixture *f = *state;
	const char *token = invite(f);

	invite_fixture_bind(f, mail.address, "@alice:not a server");
	invite_fixture_commit(f);
	assert_int_equal(notices(f), 0);
	assert_int_equal(load(f, token).state, INVITE_PENDING);
}

static void an_expired_invite_is_not_told(void **state)
{
	struct invite_fixture *f = *state;

	invite(f);
	f->conf.invites.expire_days = 1;
	f->call.now_ms += MX_DAY_MS;
	invite_fixture_bind(f, mail.address, ALICE);
	invite_fixture_commit(f);
	assert_int_equal(notices(f), 0);
}

static void invites_live_for_ever_by_default(void **state)
{
	struct invite_fixture *f = *state;

	invite(f);
	f->call.now_ms += 10000 * MX_DAY_MS;
	invite_fixture_bind(f, mail.address, ALICE);
	invite_fixture_commit(f);
	assert_int_equal(notices(f), 1);
}

static void a_withdrawn_invite_is_not_told(void **state)
{
	struct invite_fixture *f = *state;
	const char *token = invite(f);

	assert_int_equal(invite_withdraw(&f->call, token, NULL), 0);
	invite_fixture_bind(f, mail.address, ALICE);
	invite_fixture_commit(f);
	assert_int_equal(notices(f), 0);
	assert_int_equal(load(f, token).state, INVITE_WITHDRAWN);
	assert_int_equal(load(f, token).ended_ms, INVITE_FIXTURE_MS);
}

static void withdrawing_takes_the_notice_back(void **state)
{
	struct invite_fixture *f = *state;
	const char *token = invite(f);

	invite_fixture_bind(f, mail.address, ALICE);
	invite_fixture_commit(f);
	assert_int_equal(notices(f), 1);
	assert_int_equal(invite_withdraw(&f->call, token, NULL), 0);
	invite_fixture_commit(f);
	assert_int_equal(notices(f), 0);
}

static void what_has_ended_cannot_be_withdrawn(void **state)
{
	struct invite_fixture *f = *state;
	const char *token = invite(f);

	assert_int_equal(invite_withdraw(&f->call, token, NULL), 0);
	assert_int_equal(invite_withdraw(&f->call, token, NULL), -MX_NOT_FOUND);
	assert_int_equal(invite_withdraw(&f->call, "unknown", NULL), -MX_NOT_FOUND);
}

static void an_address_has_a_list_of_its_invites(void **state)
{
	struct invite_fixture *f = *state;
	struct invite_list list;

	assert_int_equal(invite_list(&f->call, &mail, &list), 0);
	assert_int_equal(list.len, 0);
	invite(f);
	assert_int_equal(invite_withdraw(&f->call, invite(f), NULL), 0);
	assert_int_equal(invite_list(&f->call, &mail, &list), 0);
	assert_int_equal(list.len, 2);
	assert_string_equal(list.items[0].threepid.address, mail.address);
}

static int import(struct invite_fixture *f, const char *token, enum invite_state invite_state)
{
	const struct invite imported = {
		.token = token,
		.room_id = "!old:example.com",
		.sender = "@bob:example.com",
		.threepid = mail,
		.created_ms = 1,
		.state = invite_state,
	};
	return invite_import(f->call.txn, &imported, NULL);
}

static void an_imported_invite_is_told_like_any_other(void **state)
{
	struct invite_fixture *f = *state;

	assert_int_equal(import(f, "old", INVITE_PENDING), 0);
	assert_int_equal(import(f, "older", INVITE_DELIVERED), 0);
	assert_int_equal(import(f, "", INVITE_PENDING), -MX_INVALID_PARAM);
	invite_fixture_commit(f);
	invite_fixture_bind(f, mail.address, ALICE);
	invite_fixture_commit(f);
	assert_int_equal(notices(f), 1);
	assert_int_equal(load(f, "old").state, INVITE_BOUND);
}

static void an_import_replaces_nothing(void **state)
{
	struct invite_fixture *f = *state;

	assert_int_equal(import(f, "old", INVITE_PENDING), 0);
	invite_fixture_commit(f);
	assert_int_equal(import(f, "old", INVITE_DELIVERED), 0);
	assert_int_equal(store_txn_commit(f->call.txn, NULL), -MX_CONFLICT);
	f->call.txn = store_txn_begin(f->identity.store);
	assert_int_equal(load(f, "old").state, INVITE_PENDING);
}

/* Whoever stores and whoever binds at the same time: one of them has to look again. */
static void an_invite_does_not_slip_past_a_bind(void **state)
{
	struct invite_fixture *f = *state;
	struct identity_call storing = f->call;

	storing.txn = store_txn_begin(f->identity.store);
	invite_fixture_bind(f, mail.address, ALICE);
	store_txn_put(f->call.txn, &invite_table, MX_SLICE("so that it commits"), MX_SLICE("x"));
	assert_int_equal(invite_import(storing.txn,
				       &(struct invite){ .token = "new",
							 .room_id = "!r:example.com",
							 .sender = "@bob:example.com",
							 .threepid = mail },
				       NULL),
			 0);
	assert_int_equal(store_txn_commit(storing.txn, NULL), 0);
	assert_int_equal(store_txn_commit(f->call.txn, NULL), -MX_CONFLICT);
	f->call.txn = store_txn_begin(f->identity.store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		invite_test(every_pending_invite_has_a_notice_of_its_own),
		invite_test(binding_again_tells_nobody_again),
		invite_test(invites_of_others_are_left_alone),
		invite_test(a_user_without_a_server_leaves_invites_pending),
		invite_test(an_expired_invite_is_not_told),
		invite_test(invites_live_for_ever_by_default),
		invite_test(a_withdrawn_invite_is_not_told),
		invite_test(withdrawing_takes_the_notice_back),
		invite_test(what_has_ended_cannot_be_withdrawn),
		invite_test(an_address_has_a_list_of_its_invites),
		invite_test(an_imported_invite_is_told_like_any_other),
		invite_test(an_import_replaces_nothing),
		invite_test(an_invite_does_not_slip_past_a_bind),
	};
	return cmocka_run_group_tests_name("invite/invite", tests, NULL, NULL);
}
