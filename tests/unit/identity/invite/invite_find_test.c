/* wrap: message_mail listed_or_bound threepid_parse binding_find */
#include "identity/binding/binding.h"
#include "identity/invite/invite.h"
#include "identity/invite/invite_db.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/json/json.h"
#include "tests/support/invite_fixture.h"
#include "tests/support/store_fixture.h"

#define ALICE "@alice:example.org"

static const struct threepid mail = { "email", "alice@example.com" };
static const struct page all = { .limit = 100 };
static const char *holder; /* of every address; NULL: nobody */

int __wrap_binding_find(const struct identity_call *call, const struct threepid *threepid,
			struct binding *ret_binding);

int __wrap_binding_find(const struct identity_call *call, const struct threepid *threepid,
			struct binding *ret_binding)
{
	(void)call;
	if (!holder)
		return -MX_NOT_FOUND;
	*ret_binding = (struct binding){
		.threepid = *threepid,
		.user_id = holder,
		.signed_json = MX_SLICE("{\"address\":\"alice@example.com\",\"medium\":\"email\"}"),
	};
	return 0;
}

static const char *invite(struct invite_fixture *f, const char *address, const char *more)
{
	struct invite_answer answer = { 0 };

	f->call.now_ms++;
	assert_int_equal(invite_fixture_invite(f, address, more, &answer), 0);
	return answer.token;
}

static struct invite load(struct invite_fixture *f, const char *token)
{
	struct invite loaded;

	assert_int_equal(invite_load(&f->call, token, &loaded), 0);
	return loaded;
}

static struct invite_page find(struct invite_fixture *f, const struct invite_filter *filter,
			       const struct page *page)
{
	struct invite_page found;

	assert_int_equal(invite_find(&f->call, filter, page, &found), 0);
	return found;
}

static void all_are_found_the_oldest_first(void **state)
{
	const struct invite_filter any = { 0 };
	struct invite_fixture *f = *state;
	const char *first = invite(f, "z@example.com", NULL);
	const char *second = invite(f, "a@example.com", NULL);
	struct invite_page found = find(f, &any, &all);

	assert_int_equal(found.len, 2);
	assert_string_equal(found.items[0].token, first);
	assert_string_equal(found.items[1].token, second);
	assert_int_equal(found.next.len, 0);
}

static void an_address_and_a_room_have_theirs(void **state)
{
	const struct invite_filter of_mail = { .threepid = &mail };
	const struct invite_filter of_room = { .room_id = "!b:example.com" };
	struct invite_fixture *f = *state;
	const char *token = invite(f, mail.address, NULL);
	const char *other = invite(f, "bob@example.com", "{\"room_id\":\"!b:example.com\"}");

	invite(f, "alice@example.comm", "{\"room_id\":\"!b:example.comm\"}");
	assert_int_equal(find(f, &of_mail, &all).len, 1);
	assert_string_equal(find(f, &of_mail, &all).items[0].token, token);
	assert_int_equal(find(f, &of_room, &all).len, 1);
	assert_string_equal(find(f, &of_room, &all).items[0].token, other);
}

static void only_pending_ones_are_found_if_asked_for(void **state)
{
	const struct invite_filter pending = { .pending = true };
	struct page one = { .limit = 1 };
	struct invite_fixture *f = *state;
	const char *withdrawn = invite(f, "a@example.com", NULL);
	const char *token = invite(f, "b@example.com", NULL);
	struct invite_page found;

	assert_int_equal(invite_withdraw(&f->call, withdrawn, NULL), 0);
	found = find(f, &pending, &one);
	assert_int_equal(found.len, 0);
	assert_true(found.next.len > 0);
	one.after = found.next;
	found = find(f, &pending, &one);
	assert_int_equal(found.len, 1);
	assert_string_equal(found.items[0].token, token);
	f->conf.invites.expire_days = 1;
	f->call.now_ms += 2 * MX_DAY_MS;
	assert_int_equal(find(f, &pending, &all).len, 0);
}

/* ---- the end */

static void a_forgotten_invite_leaves_no_row(void **state)
{
	struct invite_fixture *f = *state;
	struct invite forgotten = load(f, invite(f, mail.address, NULL));

	invite_fixture_commit(f);
	assert_int_equal(invite_fixture_rows(f), 5);
	invite_forget(&f->call, &forgotten);
	invite_fixture_commit(f);
	assert_int_equal(invite_fixture_rows(f), 0);
}

static size_t reap_at(struct invite_fixture *f, int64_t now_ms)
{
	size_t reaped;

	invite_fixture_commit(f);
	reaped = invite_reap(&f->identity, now_ms);
	invite_fixture_commit(f);
	return reaped;
}

static void what_is_over_is_remembered_for_a_while(void **state)
{
	struct invite_fixture *f = *state;
	const char *withdrawn = invite(f, "a@example.com", NULL);
	const char *token = invite(f, "b@example.com", NULL);
	int64_t end_ms = f->call.now_ms + MX_DAY_MS;
	struct invite gone;

	f->conf.invites.keep_days = 10;
	f->call.now_ms = end_ms;
	assert_int_equal(invite_withdraw(&f->call, withdrawn, NULL), 0);
	assert_int_equal(reap_at(f, end_ms + 10 * MX_DAY_MS), 0);
	assert_int_equal(reap_at(f, end_ms + 10 * MX_DAY_MS + 1), 1);
	assert_int_equal(invite_load(&f->call, withdrawn, &gone), -MX_NOT_FOUND);
	assert_int_equal(load(f, token).state, INVITE_PENDING);
}

static void a_pending_invite_is_forgotten_only_if_it_expires(void **state)
{
	struct invite_fixture *f = *state;

	invite(f, mail.address, NULL);
	f->conf.invites.keep_days = 10;
	assert_int_equal(reap_at(f, f->call.now_ms + 5000 * MX_DAY_MS), 0);
	f->conf.invites.expire_days = 1;
	assert_int_equal(reap_at(f, f->call.now_ms + 10 * MX_DAY_MS), 0);
	assert_int_equal(reap_at(f, f->call.now_ms + 12 * MX_DAY_MS), 1);
	assert_int_equal(invite_fixture_rows(f), 0);
}

static void a_reaped_invite_has_no_valid_key(void **state)
{
	struct invite_fixture *f = *state;
	struct invite_answer answer = { 0 };

	assert_int_equal(invite_fixture_invite(f, mail.address, NULL, &answer), 0);
	assert_true(ephemeral_is_valid(&f->call, answer.ephemeral_public));
	assert_int_equal(invite_withdraw(&f->call, answer.token, NULL), 0);
	assert_int_equal(reap_at(f, f->call.now_ms + 1000 * MX_DAY_MS), 1);
	assert_false(ephemeral_is_valid(&f->call, answer.ephemeral_public));
}

static void what_was_imported_as_over_is_forgotten_too(void **state)
{
	const struct invite imported = {
		.token = "old",
		.room_id = "!old:example.com",
		.sender = "@bob:example.com",
		.threepid = mail,
		.created_ms = INVITE_FIXTURE_MS,
		.state = INVITE_DELIVERED,
	};
	struct invite_fixture *f = *state;

	assert_int_equal(invite_import(f->call.txn, &imported, NULL), 0);
	assert_int_equal(reap_at(f, INVITE_FIXTURE_MS + MX_DAY_MS), 1);
}

/* ---- once more */

static void a_mail_is_written_again_without_its_key(void **state)
{
	struct invite_fixture *f = *state;
	const char *token = invite(f, "Alice@example.com",
				   "{\"sender_display_name\":\"Bob\",\"room_name\":\"The Garden\","
				   "\"room_type\":\"m.space\","
				   "\"guest_access_token\":\"secret\","
				   "\"org.matrix.web_client_location\":\"https://app.test\"}");

	assert_non_null(strstr(invite_fixture_value(f, "link"), "signurl"));
	assert_non_null(strstr(invite_fixture_value(f, "link"), "secret"));
	assert_int_equal(invite_resend(&f->call, token, NULL), 0);
	assert_int_equal(f->mails, 2);
	assert_string_equal(f->to, "Alice@example.com");
	assert_string_equal(invite_fixture_value(f, "room_name"), "The Garden");
	assert_string_equal(invite_fixture_value(f, "is_space"), "1");
	assert_string_equal(invite_fixture_value(f, "bracketed_verified_sender"),
			    "(@bob:example.com) ");
	assert_string_equal(invite_fixture_value(f, "ephemeral_private_key"), "");
	assert_null(strstr(invite_fixture_value(f, "link"), "signurl"));
	assert_null(strstr(invite_fixture_value(f, "link"), "secret"));
	assert_int_equal(strncmp(invite_fixture_value(f, "link"), "https://app.test/#/room/", 24),
			 0);
}

static void only_a_pending_invite_is_mailed_again(void **state)
{
	struct invite_fixture *f = *state;
	const char *token = invite(f, mail.address, NULL);

	f->conf.invites.expire_days = 1;
	f->call.now_ms += 2 * MX_DAY_MS;
	assert_int_equal(invite_resend(&f->call, token, NULL), -MX_CONFLICT);
	assert_int_equal(invite_withdraw(&f->call, token, NULL), 0);
	assert_int_equal(invite_resend(&f->call, token, NULL), -MX_CONFLICT);
	assert_int_equal(invite_resend(&f->call, "unknown", NULL), -MX_NOT_FOUND);
	assert_int_equal(f->mails, 1);
}

static json_t *notices(struct invite_fixture *f)
{
	return outbox_list(f->identity.outbox, "onbind", 0, 100);
}

static void a_notice_that_waits_is_hastened(void **state)
{
	struct invite_fixture *f = *state;
	const char *token = invite(f, mail.address, NULL);
	uint64_t notice;
	json_t *list;

	invite_fixture_bind(f, mail.address, ALICE);
	invite_fixture_commit(f);
	notice = load(f, token).notice_id;
	mx_time_fake(INVITE_FIXTURE_MS + 7000, 1000);
	assert_int_equal(invite_redrive(&f->call, token, NULL), 0);
	invite_fixture_commit(f);
	list = notices(f);
	assert_int_equal(json_array_size(jarr(list, "items")), 1);
	assert_int_equal(jint(json_array_get(jarr(list, "items"), 0), "next_ts", 0),
			 INVITE_FIXTURE_MS + 7000);
	assert_true(load(f, token).notice_id == notice);
	json_decref(list);
}

/* As the outbox leaves it when its time is over. */
static void give_up(struct invite_fixture *f, const char *token)
{
	struct invite given_up = load(f, token);

	outbox_withdraw_in(f->call.txn, given_up.notice_id);
	given_up.ended_ms = f->call.now_ms;
	invite_db_put(f->call.txn, &given_up);
	invite_fixture_commit(f);
}

static void what_was_given_up_is_told_to_whoever_has_the_address(void **state)
{
	struct invite_fixture *f = *state;
	const char *token = invite(f, mail.address, NULL);
	json_t *list;

	invite_fixture_bind(f, mail.address, ALICE);
	invite_fixture_commit(f);
	give_up(f, token);
	holder = NULL;
	assert_int_equal(invite_redrive(&f->call, token, NULL), -MX_CONFLICT);
	holder = "@carol:example.net";
	assert_int_equal(invite_redrive(&f->call, token, NULL), 0);
	invite_fixture_commit(f);
	list = notices(f);
	assert_string_equal(jstr(json_array_get(jarr(list, "items"), 0), "lane"), "example.net");
	json_decref(list);
	assert_int_equal(load(f, token).state, INVITE_BOUND);
	assert_string_equal(load(f, token).user_id, "@carol:example.net");
	assert_int_equal(load(f, token).ended_ms, 0);
}

static void a_withdrawn_invite_is_not_told_again(void **state)
{
	struct invite_fixture *f = *state;
	const char *token = invite(f, mail.address, NULL);

	holder = ALICE;
	assert_int_equal(invite_withdraw(&f->call, token, NULL), 0);
	assert_int_equal(invite_redrive(&f->call, token, NULL), -MX_CONFLICT);
	assert_int_equal(invite_redrive(&f->call, "unknown", NULL), -MX_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		invite_test(all_are_found_the_oldest_first),
		invite_test(an_address_and_a_room_have_theirs),
		invite_test(only_pending_ones_are_found_if_asked_for),
		invite_test(a_forgotten_invite_leaves_no_row),
		invite_test(what_is_over_is_remembered_for_a_while),
		invite_test(a_pending_invite_is_forgotten_only_if_it_expires),
		invite_test(a_reaped_invite_has_no_valid_key),
		invite_test(what_was_imported_as_over_is_forgotten_too),
		invite_test(a_mail_is_written_again_without_its_key),
		invite_test(only_a_pending_invite_is_mailed_again),
		invite_test(a_notice_that_waits_is_hastened),
		invite_test(what_was_given_up_is_told_to_whoever_has_the_address),
		invite_test(a_withdrawn_invite_is_not_told_again),
	};

	return cmocka_run_group_tests_name("invite/invite_find", tests, NULL, NULL);
}
