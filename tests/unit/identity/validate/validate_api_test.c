#include "shared/threepid/claim.h"
#include "tests/support/validate_fixture.h"

/* wrap: mailer_add sms_add sms_may_send budgets_take budgets_give budgets_prefix call_of */
/* wrap: outbox_look outbox_watch req_query req_header req_wake_new req_wake_unref */
/* wrap: reply_owned reply_header reply_status reply_json reply_redirect */

/* ---- words of the stories */

static json_t *email(const char *address, int attempt)
{
	return json_pack("{s:s, s:s, s:i}", "client_secret", "s3cret", "email", address,
			 "send_attempt", attempt);
}

static char *ask(json_t *body)
{
	assert_int_equal(post("v2/validate/email/requestToken", body), 0);
	return mx_strdup(jstr(world.reply, "sid"));
}

/* Of the last mail's link. */
static char *mailed_token(void)
{
	const char *at = strstr(world.mail_text, "&token=");

	assert_non_null(at);
	return mx_strndup(at + 7, 32);
}

static json_t *proof(const char *sid, const char *secret, const char *token)
{
	return json_pack("{s:s, s:s, s:s}", "sid", sid, "client_secret", secret, "token", token);
}

static int submit(const char *sid, const char *token)
{
	return post("v2/validate/email/submitToken", proof(sid, "s3cret", token));
}

static int validated(const char *sid, const char *secret)
{
	return get("v2/3pid/getValidated3pid",
		   json_pack("{s:s, s:s}", "sid", sid, "client_secret", secret));
}

/* ---- stories */

static void one_attempt_is_one_mail(void **state)
{
	mx_autofree char *first = ask(email("ann@example.org", 1));
	mx_autofree char *again = ask(email("ann@example.org", 1));

	(void)state;
	assert_string_equal(first, again);
	assert_int_equal(world.mails, 1);
	mx_free(ask(email("ann@example.org", 2)));
	assert_int_equal(world.mails, 2);
	mx_free(ask(email("ann@example.org", 1)));
	assert_int_equal(world.mails, 2);
}

static void a_refused_mail_is_told_and_tried_again(void **state)
{
	(void)state;
	world.outbox_says.result = OUTBOX_REFUSED;
	assert_int_equal(post("v2/validate/email/requestToken", email("ann@example.org", 1)),
			 -MX_EMAIL_SEND_ERROR);
	world.outbox_says = (struct outbox_report){ .stage = OUTBOX_UNKNOWN };
	mx_free(ask(email("ann@example.org", 1)));
	assert_int_equal(world.mails, 2);
}

static void a_slow_relay_parks_the_request_and_a_slower_one_is_not_waited_for(void **state)
{
	const struct route *route = find_route(POST, "v2/validate/email/requestToken");

	(void)state;
	world.outbox_says = (struct outbox_report){ .stage = OUTBOX_SENDING };
	world.request.body = email("ann@example.org", 1);
	assert_int_equal(run_route(route), -MX_PARK);
	assert_int_equal(run_route(route), -MX_PARK);
	world.request.timed_out = true;
	assert_int_equal(run_route(route), 0);
	assert_non_null(jstr(world.reply, "sid"));
	assert_int_equal(world.mails, 1);
	end_request();
}

static void a_mail_that_is_tried_again_later_counts_as_on_its_way(void **state)
{
	(void)state;
	world.outbox_says = (struct outbox_report){ .stage = OUTBOX_WAITING, .attempts = 1 };
	mx_free(ask(email("ann@example.org", 1)));
}

static void parameters_are_checked(void **state)
{
	static const char *const secrets[] = { "", "a b", "abc\n" };
	json_t *const attempts[] = { json_string("x"), json_real(1.5),
				     json_true(),      json_null(),
				     json_integer(-1), json_string("-1"),
				     json_string(""),  json_integer(INT64_C(9007199254740992)) };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		json_t *body = email("ann@example.org", 1);

		json_object_set_new(body, "client_secret", json_string(secrets[i]));
		assert_int_equal(post("v2/validate/email/requestToken", body), -MX_INVALID_PARAM);
	}
	for (size_t i = 0; i < 8; i++) {
		json_t *body = email("ann@example.org", 1);

		json_object_set_new(body, "send_attempt", attempts[i]);
		assert_int_equal(post("v2/validate/email/requestToken", body), -MX_INVALID_PARAM);
	}
	assert_int_equal(post("v2/validate/email/requestToken", email("a@b\r\nBcc: x@y.org", 1)),
			 -MX_INVALID_EMAIL);
	assert_int_equal(world.mails, 0);
}

static void digits_of_a_form_are_a_number_and_v1_needs_none(void **state)
{
	json_t *body = email("ann@example.org", 1);

	(void)state;
	json_object_set_new(body, "send_attempt", json_string("1"));
	mx_free(ask(body));
	assert_int_equal(world.mails, 1);
	body = email("bob@example.org", 1);
	json_object_del(body, "send_attempt");
	assert_int_equal(post("v1/validate/email/requestToken", json_deep_copy(body)), 0);
	assert_int_equal(post("v1/validate/email/requestToken", body), 0);
	assert_int_equal(world.mails, 2);
}

static void the_address_is_folded_but_the_mail_goes_as_it_was_written(void **state)
{
	mx_autofree char *sid = ask(email("Strau\u00df@Example.com", 1));
	mx_autofree char *token = mailed_token();

	(void)state;
	assert_string_equal(world.mail_to, "Strau\u00df@example.com");
	assert_int_equal(submit(sid, token), 0);
	assert_int_equal(validated(sid, "s3cret"), 0);
	assert_string_equal(jstr(world.reply, "address"), "strauss@example.com");
	assert_string_equal(jstr(world.reply, "medium"), "email");
}

static void a_token_is_right_wrong_or_dead(void **state)
{
	mx_autofree char *sid = ask(email("ann@example.org", 1));
	mx_autofree char *token = mailed_token();

	(void)state;
	for (int i = 0; i < CLAIM_TRIES; i++)
		assert_int_equal(submit(sid, "wrong"), -MX_TOKEN_INCORRECT);
	assert_int_equal(submit(sid, token), -MX_TOKEN_INCORRECT);
	assert_int_equal(validated(sid, "s3cret"), -MX_SESSION_NOT_VALIDATED);
}

static void submitting_twice_succeeds_twice(void **state)
{
	mx_autofree char *sid = ask(email("ann@example.org", 1));
	mx_autofree char *token = mailed_token();

	(void)state;
	mx_time_fake(BORN_MS + HOUR_MS, 0);
	assert_int_equal(submit(sid, token), 0);
	assert_true(jbool(world.reply, "success", false));
	mx_time_fake(BORN_MS + 2 * HOUR_MS, 0);
	assert_int_equal(submit(sid, token), 0);
	assert_int_equal(validated(sid, "s3cret"), 0);
	assert_int_equal(jint(world.reply, "validated_at", 0), BORN_MS + HOUR_MS);
}

static void nobody_learns_which_sessions_exist(void **state)
{
	mx_autofree char *sid = ask(email("ann@example.org", 1));
	mx_autofree char *token = mailed_token();

	(void)state;
	assert_int_equal(submit("nobody", token), -MX_SESSION_UNKNOWN);
	assert_int_equal(post("v2/validate/email/submitToken", proof(sid, "other", token)),
			 -MX_SESSION_UNKNOWN);
	assert_int_equal(validated(sid, "other"), -MX_NO_VALID_SESSION);
	assert_int_equal(validated("nobody", "s3cret"), -MX_NO_VALID_SESSION);
	mx_time_fake(BORN_MS + 25 * HOUR_MS, 0);
	assert_int_equal(validated(sid, "other"), -MX_NO_VALID_SESSION);
	assert_int_equal(validated(sid, "s3cret"), -MX_SESSION_EXPIRED);
	assert_int_equal(submit(sid, token), -MX_SESSION_EXPIRED);
}

static void a_phone_is_not_confirmed_as_a_mail(void **state)
{
	mx_autofree char *sid = NULL;
	mx_autofree char *token = NULL;

	(void)state;
	assert_int_equal(
		post("v2/validate/msisdn/requestToken",
		     json_pack("{s:s, s:s, s:s, s:i}", "client_secret", "s3cret", "country", "GB",
			       "phone_number", "07700 900001", "send_attempt", 1)),
		0);
	assert_string_equal(jstr(world.reply, "msisdn"), "447700900001");
	assert_true(mx_starts_with(jstr(world.reply, "intl_fmt"), "+44"));
	assert_true(jbool(world.reply, "success", false));
	assert_string_equal(world.mail_to, "447700900001");
	sid = mx_strdup(jstr(world.reply, "sid"));
	token = mx_strndup(world.mail_text, 6);
	assert_int_equal(submit(sid, token), -MX_SESSION_UNKNOWN);
	assert_int_equal(post("v2/validate/msisdn/submitToken", proof(sid, "s3cret", token)), 0);
}

static int ask_phone(const char *country, const char *number)
{
	return post("v2/validate/msisdn/requestToken",
		    json_pack("{s:s, s:s, s:s, s:i}", "client_secret", "s3cret", "country", country,
			      "phone_number", number, "send_attempt", 1));
}

static void phone_numbers_are_read_as_people_write_them(void **state)
{
	static const char *const same[] = { "07700900001", "+44 7700 900001", "0044 7700 900001" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(ask_phone("GB", same[i]), 0);
		assert_string_equal(jstr(world.reply, "msisdn"), "447700900001");
	}
	assert_int_equal(ask_phone("US", "(800) 555-2067"), 0);
	assert_string_equal(jstr(world.reply, "msisdn"), "18005552067");
	assert_int_equal(ask_phone("gb", "07700900001"), -MX_INVALID_PARAM);
	assert_int_equal(ask_phone("ZZ", "07700900001"), -MX_INVALID_PARAM);
	assert_int_equal(ask_phone("GB", "123"), -MX_INVALID_ADDRESS);
	assert_int_equal(ask_phone("GB", "abc"), -MX_INVALID_ADDRESS);
}

static void a_refused_country_costs_nothing(void **state)
{
	(void)state;
	world.may_send = -MX_DESTINATION_REJECTED;
	assert_int_equal(ask_phone("GB", "07700900001"), -MX_DESTINATION_REJECTED);
	assert_int_equal(world.texts, 0);
	assert_int_equal(world.budget_left, 1000);
}

static void a_spent_budget_gives_back_what_the_others_had(void **state)
{
	(void)state;
	world.budget_left = 2;
	world.request.body = email("ann@example.org", 1);
	assert_int_equal(run_route(find_route(POST, "v2/validate/email/requestToken")),
			 -MX_LIMIT_EXCEEDED);
	assert_int_equal(world.request.err.retry_after_ms, 5000);
	assert_int_equal(world.given, 2);
	assert_int_equal(world.mails, 0);
	end_request();
}

static char *ask_with_link(const char *link)
{
	json_t *body = email("ann@example.org", 1);

	json_object_set_new(body, "next_link", json_string(link));
	return ask(body);
}

static void a_person_is_led_on_to_the_next_link(void **state)
{
	mx_autofree char *sid = ask_with_link("https://ok.example/x?a=1");
	mx_autofree char *token = mailed_token();
	mx_autofree char *expected = mx_strf("https://ok.example/x?a=1&sid=%s", sid);

	(void)state;
	assert_int_equal(submit(sid, token), 0);
	assert_null(world.redirect);
	assert_int_equal(get("v2/validate/email/submitToken", proof(sid, "s3cret", token)), 0);
	assert_string_equal(world.redirect, expected);
	assert_int_equal(post("/verify/email", proof(sid, "s3cret", token)), 0);
	assert_string_equal(world.redirect, expected);
}

static void a_next_link_elsewhere_is_refused_and_never_taken_from_the_query(void **state)
{
	json_t *body = email("ann@example.org", 1), *evil;
	mx_autofree char *sid = NULL;
	mx_autofree char *token = NULL;

	(void)state;
	json_object_set_new(body, "next_link", json_string("https://evil.example/"));
	assert_int_equal(post("v2/validate/email/requestToken", body), -MX_INVALID_PARAM);
	sid = ask(email("ann@example.org", 1));
	token = mailed_token();
	evil = proof(sid, "s3cret", token);
	json_object_set_new(evil, "nextLink", json_string("https://evil.example"));
	json_object_set_new(evil, "next_link", json_string("https://evil.example"));
	assert_int_equal(get("v2/validate/email/submitToken", evil), 0);
	assert_null(world.redirect);
	assert_int_equal(world.status, 200);
}

static void the_mails_link_leads_to_a_button_that_validates(void **state)
{
	mx_autofree char *sid = ask(email("ann@example.org", 1));
	mx_autofree char *token = mailed_token();

	(void)state;
	assert_non_null(strstr(world.mail_text, "https://id.example.org/verify/email?sid="));
	assert_int_equal(get("/verify/email", proof(sid, "s3cret", token)), 0);
	assert_int_equal(world.status, 200);
	assert_non_null(strstr(world.page,
			       "method=\"post\" action=\"https://id.example.org/verify/email\""));
	assert_non_null(strstr(world.page, "ann@example.org"));
	assert_non_null(strstr(world.page, token));
	assert_int_equal(validated(sid, "s3cret"), -MX_SESSION_NOT_VALIDATED);
	assert_int_equal(post("/verify/email", proof(sid, "s3cret", token)), 0);
	assert_int_equal(world.status, 200);
	assert_int_equal(validated(sid, "s3cret"), 0);
}

static void an_operator_may_want_no_button(void **state)
{
	(void)state;
	world.landing = false;
	mx_free(ask(email("ann@example.org", 1)));
	assert_non_null(strstr(world.mail_text,
			       "https://id.example.org/_matrix/identity/v2/validate/"
			       "email/submitToken?sid="));
}

static void a_link_that_does_not_work_is_a_page_with_400(void **state)
{
	mx_autofree char *sid = ask(email("ann@example.org", 1));

	(void)state;
	assert_int_equal(get("v2/validate/email/submitToken", proof(sid, "s3cret", "wrong")), 0);
	assert_int_equal(world.status, 400);
	assert_non_null(strstr(world.page, "tried too often"));
	assert_int_equal(get("v1/validate/msisdn/submitToken", json_object()), 0);
	assert_int_equal(world.status, 400);
	assert_non_null(strstr(world.page, "incomplete"));
	assert_int_equal(post("/verify/email", json_object()), 0);
	assert_int_equal(world.status, 400);
	mx_time_fake(BORN_MS + 25 * HOUR_MS, 0);
	assert_int_equal(get("/verify/email", proof(sid, "s3cret", "x")), 0);
	assert_int_equal(world.status, 400);
	assert_non_null(strstr(world.page, "too old"));
}

static void heads_and_prefetches_validate_nothing(void **state)
{
	mx_autofree char *sid = ask(email("ann@example.org", 1));
	mx_autofree char *token = mailed_token();

	(void)state;
	world.request.head_only = true;
	assert_int_equal(get("v2/validate/email/submitToken", proof(sid, "s3cret", token)), 0);
	world.purpose = "prefetch;prerender";
	assert_int_equal(get("v2/validate/email/submitToken", proof(sid, "s3cret", token)), 0);
	assert_int_equal(validated(sid, "s3cret"), -MX_SESSION_NOT_VALIDATED);
	world.purpose = NULL;
	assert_int_equal(get("v2/validate/email/submitToken", proof(sid, "s3cret", token)), 0);
	assert_int_equal(validated(sid, "s3cret"), 0);
}

static void missing_parameters_are_named(void **state)
{
	(void)state;
	json_decref(world.query);
	world.query = json_pack("{s:s}", "sid", "x");
	assert_int_equal(run_route(find_route(GET, "v2/3pid/getValidated3pid")),
			 -MX_MISSING_PARAMS);
	assert_string_equal(world.request.err.text, "Missing: client_secret");
	json_object_clear(world.query);
	assert_int_equal(run_route(find_route(GET, "v1/3pid/getValidated3pid")),
			 -MX_MISSING_PARAMS);
	assert_string_equal(world.request.err.text, "Missing: sid, client_secret");
}

#define test(function) cmocka_unit_test_setup_teardown(function, validate_setup, validate_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(one_attempt_is_one_mail),
		test(a_refused_mail_is_told_and_tried_again),
		test(a_slow_relay_parks_the_request_and_a_slower_one_is_not_waited_for),
		test(a_mail_that_is_tried_again_later_counts_as_on_its_way),
		test(parameters_are_checked),
		test(digits_of_a_form_are_a_number_and_v1_needs_none),
		test(the_address_is_folded_but_the_mail_goes_as_it_was_written),
		test(a_token_is_right_wrong_or_dead),
		test(submitting_twice_succeeds_twice),
		test(nobody_learns_which_sessions_exist),
		test(a_phone_is_not_confirmed_as_a_mail),
		test(phone_numbers_are_read_as_people_write_them),
		test(a_refused_country_costs_nothing),
		test(a_spent_budget_gives_back_what_the_others_had),
		test(a_person_is_led_on_to_the_next_link),
		test(a_next_link_elsewhere_is_refused_and_never_taken_from_the_query),
		test(the_mails_link_leads_to_a_button_that_validates),
		test(an_operator_may_want_no_button),
		test(a_link_that_does_not_work_is_a_page_with_400),
		test(heads_and_prefetches_validate_nothing),
		test(missing_parameters_are_named),
	};
	return cmocka_run_group_tests_name("identity/validate/validate_api", tests, NULL, NULL);
}
