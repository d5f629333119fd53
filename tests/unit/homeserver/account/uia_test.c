#include "homeserver/account/uia.h"

#include "homeserver/account/registration_token.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/http/request.h"
#include "shared/json/json.h"
#include "tests/support/hs_fixture.h"

#define ANN   "@ann:here.example"
#define TOKEN UIA_REGISTRATION_TOKEN
#define DUMMY "m.login.dummy"

static void two_flows(const struct hs *hs, struct uia_flows *ret_flows)
{
	(void)hs;
	*ret_flows = (struct uia_flows){
		.items = { { .stages = { TOKEN, DUMMY }, .len = 2 },
			   { .stages = { TOKEN, "m.login.other" }, .len = 2 } },
		.len = 2,
	};
}

static void no_flows(const struct hs *hs, struct uia_flows *ret_flows)
{
	(void)hs;
	ret_flows->len = 0;
}

static const struct uia_purpose purpose = { .flows = two_flows };
static const struct uia_purpose any_body = { .flows = two_flows, .any_body = true };
static const struct uia_purpose nothing = { .flows = no_flows };

/* A request, and what became of it. */
struct asked {
	const char *user, *target;
	const struct uia_purpose *purpose;
	json_t *body, *kept; /* owned */
	int rc;
	json_t *fields; /* of the 401 */
	json_t *result; /* of the token's stage */
};

static void ask(struct hs_fixture *f, struct asked *asked)
{
	struct req r = {
		.mem = f->call.mem,
		.app = &f->hs,
		.method = POST,
		.user = asked->user,
		.target = asked->target ? asked->target : "/what?query",
		.body = asked->body,
	};
	uia_session_auto session = { 0 };

	json_decref(asked->fields);
	asked->rc = uia_require(&r, asked->purpose ? asked->purpose : &purpose, asked->kept,
				&session);
	asked->fields = r.err_fields;
	asked->result = json_incref((json_t *)uia_result(&session, TOKEN));
	hs_fixture_write(f);
}

static void done(struct asked *asked)
{
	json_decref(asked->body);
	json_decref(asked->kept);
	json_decref(asked->fields);
	json_decref(asked->result);
}

static void set_auth(struct asked *asked, json_t *auth)
{
	json_object_set_new(asked->body, "auth", auth);
}

static json_t *auth_of(const char *type, const char *session)
{
	return json_pack("{s:s, s:s, s:s}", "type", type, "session", session, "token", "secret");
}

/* A first request, which begins a session. */
static struct asked begin(struct hs_fixture *f, const char *user)
{
	const struct registration_token token = { .text = "secret" };
	struct asked asked = { .user = user, .body = json_pack("{s:i}", "wish", 1) };
	const char *text;

	registration_token_add(&f->call, &token, &text, NULL);
	hs_fixture_write(f);
	ask(f, &asked);
	assert_int_equal(asked.rc, -MX_INTERACTIVE);
	return asked;
}

static const char *session_of(struct hs_fixture *f, const struct asked *asked)
{
	return mx_arena_strdup(f->call.mem, jstr(asked->fields, "session"));
}

static void the_first_answer_says_what_to_do(void **state)
{
	struct asked asked = begin(*state, ANN);

	assert_int_equal(json_array_size(jarr(asked.fields, "flows")), 2);
	assert_true(json_is_object(json_object_get(asked.fields, "params")));
	assert_null(json_object_get(asked.fields, "completed"));
	assert_null(json_object_get(asked.fields, "errcode"));
	done(&asked);
}

static void stages_are_done_in_their_order(void **state)
{
	struct asked asked = begin(*state, ANN);
	const char *session = session_of(*state, &asked);

	set_auth(&asked, auth_of(DUMMY, session));
	ask(*state, &asked);
	assert_int_equal(asked.rc, -MX_INTERACTIVE);
	assert_null(json_object_get(asked.fields, "completed"));
	assert_non_null(jstr(asked.fields, "errcode"));
	set_auth(&asked, auth_of(TOKEN, session));
	ask(*state, &asked);
	assert_int_equal(asked.rc, -MX_INTERACTIVE);
	assert_string_equal(jstr(asked.fields, "session"), session);
	assert_string_equal(json_string_value(json_array_get(jarr(asked.fields, "completed"), 0)),
			    TOKEN);
	assert_null(json_object_get(asked.fields, "errcode"));
	/* A stage that is done is not done again. */
	set_auth(&asked, auth_of(TOKEN, session));
	ask(*state, &asked);
	assert_int_equal(asked.rc, -MX_INTERACTIVE);
	assert_null(json_object_get(asked.fields, "errcode"));
	set_auth(&asked, auth_of(DUMMY, session));
	ask(*state, &asked);
	assert_int_equal(asked.rc, 0);
	assert_string_equal(json_string_value(asked.result), "secret");
	done(&asked);
}

static void a_stage_that_failed_may_be_tried_again(void **state)
{
	struct asked asked = begin(*state, ANN);
	const char *session = session_of(*state, &asked);
	json_t *auth = auth_of(TOKEN, session);

	json_object_set_new(auth, "token", json_string("wrong"));
	set_auth(&asked, auth);
	ask(*state, &asked);
	assert_int_equal(asked.rc, -MX_INTERACTIVE);
	assert_string_equal(jstr(asked.fields, "errcode"), mx_errc(MX_STAGE_FAILED)->errcode);
	assert_string_equal(jstr(asked.fields, "session"), session);
	set_auth(&asked, auth_of(TOKEN, session));
	ask(*state, &asked);
	assert_int_equal(json_array_size(jarr(asked.fields, "completed")), 1);
	done(&asked);
}

static void what_is_wrong_with_the_request_is_no_stage(void **state)
{
	struct asked asked = begin(*state, ANN);
	json_t *auth = auth_of(TOKEN, session_of(*state, &asked));

	json_object_del(auth, "token");
	set_auth(&asked, auth);
	ask(*state, &asked);
	assert_int_equal(asked.rc, -MX_MISSING_PARAM);
	done(&asked);
}

static void a_session_only_is_no_proof(void **state)
{
	struct asked asked = begin(*state, ANN);

	set_auth(&asked, json_pack("{s:s}", "session", session_of(*state, &asked)));
	ask(*state, &asked);
	assert_int_equal(asked.rc, -MX_INTERACTIVE);
	done(&asked);
}

static void a_stage_may_be_completed_elsewhere(void **state)
{
	struct asked asked = begin(*state, ANN);
	const char *id = session_of(*state, &asked);
	struct hs_fixture *f = *state;
	struct uia_session session;

	assert_int_equal(uia_load(&f->call, id, &session), 0);
	uia_complete(&f->call, &session, TOKEN, json_string("by a page"));
	uia_complete(&f->call, &session, DUMMY, NULL);
	uia_session_done(&session);
	hs_fixture_write(f);
	set_auth(&asked, json_pack("{s:s}", "session", id));
	ask(f, &asked);
	assert_int_equal(asked.rc, 0);
	assert_string_equal(json_string_value(asked.result), "by a page");
	done(&asked);
}

/* Whether the session goes on for a request that is another one. */
static bool goes_on(struct hs_fixture *f, struct asked *asked, const char *session)
{
	set_auth(asked, auth_of(TOKEN, session));
	ask(f, asked);
	assert_int_equal(asked->rc, -MX_INTERACTIVE);
	return streq(jstr(asked->fields, "session"), session);
}

static void a_session_is_of_one_user_and_path(void **state)
{
	struct asked asked = begin(*state, ANN);
	const char *session = session_of(*state, &asked);

	asked.user = "@bob:here.example";
	assert_false(goes_on(*state, &asked, session));
	asked.user = NULL;
	assert_false(goes_on(*state, &asked, session));
	asked.user = ANN;
	asked.target = "/other";
	assert_false(goes_on(*state, &asked, session));
	asked.target = "/what?another=query";
	assert_true(goes_on(*state, &asked, session));
	assert_false(goes_on(*state, &asked, "nonsense"));
	done(&asked);
}

static void a_body_that_changed_is_refused(void **state)
{
	struct asked asked = begin(*state, ANN);

	set_auth(&asked, auth_of(TOKEN, session_of(*state, &asked)));
	json_object_set_new(asked.body, "wish", json_integer(2));
	ask(*state, &asked);
	assert_int_equal(asked.rc, -MX_FORBIDDEN);
	asked.purpose = &any_body;
	ask(*state, &asked);
	assert_int_equal(asked.rc, -MX_INTERACTIVE);
	done(&asked);
}

static void an_old_session_is_a_new_one(void **state)
{
	struct asked asked = begin(*state, ANN);
	const char *session = session_of(*state, &asked);
	struct hs_fixture *f = *state;

	hs_fixture_at(f, HS_FIXTURE_NOW + UIA_LIFE_MS);
	assert_true(goes_on(f, &asked, session));
	assert_int_equal(uia_reap(&f->hs, f->call.now_ms), 0);
	hs_fixture_at(f, HS_FIXTURE_NOW + UIA_LIFE_MS + 1);
	assert_false(goes_on(f, &asked, session));
	assert_int_equal(uia_reap(&f->hs, f->call.now_ms), 1);
	done(&asked);
}

static void what_is_kept_comes_back(void **state)
{
	struct asked asked = { .body = json_object(),
			       .purpose = &any_body,
			       .kept = json_pack("{s:s}", "name", "ann") };
	struct hs_fixture *f = *state;
	struct req r = { .mem = f->call.mem, .app = &f->hs, .method = POST, .target = "/what" };
	json_t *kept;

	ask(f, &asked);
	set_auth(&asked, json_pack("{s:s}", "session", session_of(f, &asked)));
	/* What was said first stays; what is new is added. */
	json_decref(asked.kept);
	asked.kept = json_pack("{s:s, s:s}", "name", "bob", "device", "D");
	ask(f, &asked);
	r.body = asked.body;
	kept = uia_kept(&r);
	assert_string_equal(jstr(kept, "name"), "ann");
	assert_string_equal(jstr(kept, "device"), "D");
	json_decref(kept);
	r.target = "/other";
	assert_null(uia_kept(&r));
	done(&asked);
}

static void a_spent_session_is_gone(void **state)
{
	struct asked asked = begin(*state, ANN);
	const char *session = session_of(*state, &asked);
	struct hs_fixture *f = *state;
	struct req r = { .body = asked.body };

	set_auth(&asked, json_pack("{s:s}", "session", session));
	uia_spend(&f->call, &r);
	hs_fixture_write(f);
	assert_false(goes_on(f, &asked, session));
	done(&asked);
}

static void without_a_flow_there_is_no_way(void **state)
{
	struct asked asked = { .user = ANN, .body = json_object(), .purpose = &nothing };

	ask(*state, &asked);
	assert_int_equal(asked.rc, -MX_FORBIDDEN);
	asked.user = NULL;
	ask(*state, &asked);
	assert_int_equal(asked.rc, -MX_MISSING_TOKEN);
	done(&asked);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hs_test(the_first_answer_says_what_to_do),
		hs_test(stages_are_done_in_their_order),
		hs_test(a_stage_that_failed_may_be_tried_again),
		hs_test(what_is_wrong_with_the_request_is_no_stage),
		hs_test(a_session_only_is_no_proof),
		hs_test(a_stage_may_be_completed_elsewhere),
		hs_test(a_session_is_of_one_user_and_path),
		hs_test(a_body_that_changed_is_refused),
		hs_test(an_old_session_is_a_new_one),
		hs_test(what_is_kept_comes_back),
		hs_test(a_spent_session_is_gone),
		hs_test(without_a_flow_there_is_no_way),
	};

	return cmocka_run_group_tests_name("homeserver/account/uia", tests, NULL, NULL);
}
