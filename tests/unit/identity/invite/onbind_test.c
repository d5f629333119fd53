/* wrap: message_mail listed_or_bound threepid_parse net_start net_fetch */
#include "identity/invite/onbind.h"

#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/json/json.h"
#include "tests/support/invite_fixture.h"
#include "tests/support/net_mock.h"
#include "tests/support/store_fixture.h"

#include <string.h>

/* A homeserver: how it answers to each method, and what it got. */
struct homeserver {
	int post, put, rc;
	char asked[64]; /* methods, one behind the other */
	char server[256], target[256];
	json_t *body;
};

static struct net_mock_answer answer(void *ctx, const struct net_mock_request *request)
{
	struct homeserver *home = ctx;
	size_t len = strlen(home->asked);

	snprintf(home->asked + len, sizeof(home->asked) - len, "%s ", request->method);
	snprintf(home->server, sizeof(home->server), "%s", request->server);
	snprintf(home->target, sizeof(home->target), "%s", request->target);
	json_decref(home->body);
	home->body = json_loadb(request->body.ptr, request->body.len, 0, NULL);
	return (struct net_mock_answer){
		.rc = home->rc,
		.status = streq(request->method, "POST") ? home->post : home->put,
	};
}

/* Binds one imported invite and leaves the notice in the outbox. */
static void bind(struct invite_fixture *f)
{
	const struct invite invite = {
		.token = "abc123",
		.room_id = "!room:example.com",
		.sender = "@bob:example.com",
		.threepid = { "email", "alice@example.com" },
		.ephemeral_public = { 1 },
	};

	assert_int_equal(invite_import(f->call.txn, &invite, NULL), 0);
	invite_fixture_bind(f, "alice@example.com", "@alice:example.org");
	invite_fixture_commit(f);
}

/* The payload of the notice, as the outbox would give it. */
static void payload_of(struct invite_fixture *f, struct mx_str *out)
{
	json_t *association = json_pack("{s:s, s:s, s:s}", "medium", "email", "address",
					"alice@example.com", "mxid", "@alice:example.org");
	struct invite invite;

	assert_int_equal(invite_load(&f->call, "abc123", &invite), 0);
	assert_int_equal(onbind_payload(&f->call, association, &invite, out, NULL), 0);
	json_decref(association);
}

/* One attempt, without the outbox's threads. */
static enum outbox_result send(struct invite_fixture *f, struct homeserver *home,
			       struct mx_error *err)
{
	struct outbox_kind kind = onbind_kind(&f->identity);
	mx_str_auto payload = { 0 };
	struct outbox_item item = { .kind = "onbind", .lane = MX_SLICE("example.org") };

	payload_of(f, &payload);
	item.payload = mx_str_slice(&payload);
	net_mock_reset();
	net_mock_handle(answer, home);
	return kind.send(kind.ctx, &item, err);
}

static void finish(struct invite_fixture *f, enum outbox_result result)
{
	struct outbox_kind kind = onbind_kind(&f->identity);
	mx_str_auto payload = { 0 };
	struct outbox_item item = { .kind = "onbind", .lane = MX_SLICE("example.org") };

	payload_of(f, &payload);
	item.payload = mx_str_slice(&payload);
	kind.ended(kind.ctx, f->call.txn, &item, result);
}

static enum invite_state state_of(struct invite_fixture *f)
{
	struct invite invite;

	assert_int_equal(invite_load(&f->call, "abc123", &invite), 0);
	return invite.state;
}

static void the_users_homeserver_gets_the_invite(void **state)
{
	struct homeserver home = { .post = 200 };
	json_t *invite;

	bind(*state);
	assert_int_equal(send(*state, &home, NULL), OUTBOX_SENT);
	assert_string_equal(home.asked, "POST ");
	assert_string_equal(home.server, "example.org");
	assert_string_equal(home.target, "/_matrix/federation/v1/3pid/onbind");
	assert_string_equal(jstr(home.body, "mxid"), "@alice:example.org");
	assert_string_equal(jstr(home.body, "address"), "alice@example.com");
	assert_int_equal(json_array_size(jarr(home.body, "invites")), 1);
	invite = json_array_get(jarr(home.body, "invites"), 0);
	assert_string_equal(jstr(invite, "medium"), "email");
	assert_string_equal(jstr(invite, "address"), "alice@example.com");
	assert_string_equal(jstr(invite, "mxid"), "@alice:example.org");
	assert_string_equal(jstr(invite, "room_id"), "!room:example.com");
	assert_string_equal(jstr(invite, "sender"), "@bob:example.com");
	assert_string_equal(jstr(invite, "token"), "abc123");
	json_decref(home.body);
}

static void the_long_term_key_signs_user_and_token(void **state)
{
	static const char *const expected =
		"bcYkW6mDNbs7yv/GNpvyxql/P1EWGcNiIy9tJllJQkc8cTsboPenZpQ9FOF1STsNTwsslwo4B1NjYcmS"
		"x9IGDw";
	struct homeserver home = { .post = 200 };
	json_t *object;

	bind(*state);
	send(*state, &home, NULL);
	object = jobj(json_array_get(jarr(home.body, "invites"), 0), "signed");
	assert_int_equal(json_object_size(object), 3);
	assert_string_equal(jstr(jobj(jobj(object, "signatures"), "id.example.org"), "ed25519:0"),
			    expected);
	assert_non_null(jobj(jobj(home.body, "signatures"), "id.example.org"));
	json_decref(home.body);
}

static void assert_sends(struct invite_fixture *f, struct homeserver home,
			 enum outbox_result result, const char *asked)
{
	struct mx_error err = { 0 };

	assert_int_equal(send(f, &home, &err), result);
	assert_string_equal(home.asked, asked);
	assert_int_equal(err.text[0] == '\0', result == OUTBOX_SENT);
	json_decref(home.body);
}

static void put_is_tried_where_post_is_unknown(void **state)
{
	bind(*state);
	assert_sends(*state, (struct homeserver){ .post = 405, .put = 200 }, OUTBOX_SENT,
		     "POST PUT ");
	assert_sends(*state, (struct homeserver){ .post = 404, .put = 200 }, OUTBOX_SENT,
		     "POST PUT ");
	assert_sends(*state, (struct homeserver){ .post = 404, .put = 404 }, OUTBOX_AGAIN,
		     "POST PUT ");
}

static void a_failure_is_tried_again_later(void **state)
{
	bind(*state);
	assert_sends(*state, (struct homeserver){ .post = 500 }, OUTBOX_AGAIN, "POST ");
	assert_sends(*state, (struct homeserver){ .post = 403 }, OUTBOX_AGAIN, "POST ");
	assert_sends(*state, (struct homeserver){ .post = 302 }, OUTBOX_AGAIN, "POST ");
	assert_sends(*state, (struct homeserver){ .rc = -MX_REMOTE_TIMEOUT }, OUTBOX_AGAIN,
		     "POST ");
	assert_sends(*state, (struct homeserver){ .rc = -MX_ADDRESS_REFUSED }, OUTBOX_AGAIN,
		     "POST ");
}

static void a_damaged_notice_is_given_up(void **state)
{
	struct invite_fixture *f = *state;
	struct outbox_kind kind = onbind_kind(&f->identity);
	const struct outbox_item item = { .lane = MX_SLICE("example.org"),
					  .payload = MX_SLICE("\1\377") };

	net_mock_reset();
	assert_int_equal(kind.send(kind.ctx, &item, NULL), OUTBOX_REFUSED);
	assert_int_equal(net_mock_asked(), 0);
}

static void a_delivered_invite_has_done_its_work(void **state)
{
	struct invite_fixture *f = *state;
	const char *key = "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

	bind(f);
	assert_true(ephemeral_is_valid(&f->call, key));
	finish(f, OUTBOX_SENT);
	assert_int_equal(state_of(f), INVITE_DELIVERED);
	assert_false(ephemeral_is_valid(&f->call, key));
}

static void an_invite_that_was_not_delivered_is_kept(void **state)
{
	struct invite_fixture *f = *state;

	bind(f);
	finish(f, OUTBOX_EXPIRED);
	assert_int_equal(state_of(f), INVITE_BOUND);
}

static void withdrawn_while_under_way_it_stays_withdrawn(void **state)
{
	struct invite_fixture *f = *state;

	bind(f);
	assert_int_equal(invite_withdraw(&f->call, "abc123", NULL), 0);
	finish(f, OUTBOX_SENT);
	assert_int_equal(state_of(f), INVITE_WITHDRAWN);
}

static void the_outbox_delivers_what_a_bind_left(void **state)
{
	struct invite_fixture *f = *state;
	struct homeserver home = { .post = 200 };
	struct outbox_report report;
	struct invite invite;

	bind(f);
	assert_int_equal(invite_load(&f->call, "abc123", &invite), 0);
	net_mock_reset();
	net_mock_handle(answer, &home);
	outbox_start(f->identity.outbox);
	do
		outbox_look(f->identity.outbox, invite.notice_id, &report);
	while (report.stage != OUTBOX_ENDED);
	assert_int_equal(report.result, OUTBOX_SENT);
	invite_fixture_abort(f);
	assert_int_equal(state_of(f), INVITE_DELIVERED);
	assert_string_equal(home.asked, "POST ");
	json_decref(home.body);
}

static void it_is_tried_for_two_weeks(void **state)
{
	struct invite_fixture *f = *state;
	struct outbox_kind kind = onbind_kind(&f->identity);

	assert_int_equal(kind.first_ms, 5000);
	assert_int_equal(kind.max_ms, MX_DAY_MS);
	assert_int_equal(kind.give_up_ms, 14 * MX_DAY_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		invite_test(the_users_homeserver_gets_the_invite),
		invite_test(the_long_term_key_signs_user_and_token),
		invite_test(put_is_tried_where_post_is_unknown),
		invite_test(a_failure_is_tried_again_later),
		invite_test(a_damaged_notice_is_given_up),
		invite_test(a_delivered_invite_has_done_its_work),
		invite_test(an_invite_that_was_not_delivered_is_kept),
		invite_test(withdrawn_while_under_way_it_stays_withdrawn),
		invite_test(the_outbox_delivers_what_a_bind_left),
		invite_test(it_is_tried_for_two_weeks),
	};
	return cmocka_run_group_tests_name("invite/onbind", tests, NULL, NULL);
}
