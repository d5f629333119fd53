/* wrap: daemon_ask */
#include "identity/admin/commands.h"

#include "identity/identity_conf.h"
#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "tests/support/command_mock.h"
#include "tests/support/store_fixture.h"

#include <stdlib.h>

/* What is asked is asked by olga. */
static int run(const char *line, struct mx_str *said)
{
	static const struct identity_conf conf;

	setenv("SUDO_USER", "olga", 1);
	return command_run(admin_commands, &conf, line, said);
}

static void asks(const char *line, const char *expected)
{
	command_mock_reset(NULL);
	assert_int_equal(run(line, NULL), EXIT_SUCCESS);
	assert_string_equal(played.asked.ptr, expected);
	assert_int_equal(played.requests, 1);
}

static void each_command_asks_for_one_thing(void **state)
{
	static const char reason[] = "{\"by\":\"olga\",\"reason\":\"why\"}";
	static const struct {
		const char *line, *asked;
		bool has_reason;
	} rows[] = {
		{ "who address email a@b.c", "GET /admin/v1/people/address/email/a%40b.c", false },
		{ "who hash abc", "GET /admin/v1/people/hash/abc", false },
		{ "who user @a:b --limit 5 --after x=",
		  "GET /admin/v1/people/user/%40a%3Ab?after=x%3D&limit=5", false },
		{ "unbind email a@b.c --reason why",
		  "POST /admin/v1/people/address/email/a%40b.c/unbind ", true },
		{ "sessions list msisdn 447", "GET /admin/v1/people/address/msisdn/447/sessions",
		  false },
		{ "sessions end s/1 --reason why", "POST /admin/v1/sessions/s%2F1/end ", true },
		{ "invites list", "GET /admin/v1/invites", false },
		{ "invites list --pending --room !r:x",
		  "GET /admin/v1/invites?room_id=%21r%3Ax&pending=true", false },
		{ "invites list --address a@b.c", "GET /admin/v1/invites?address=a%40b.c", false },
		{ "invites show t", "GET /admin/v1/invites/t", false },
		{ "invites withdraw t --reason why", "POST /admin/v1/invites/t/withdraw ", true },
		{ "invites resend t --reason why", "POST /admin/v1/invites/t/resend ", true },
		{ "accounts list", "GET /admin/v1/accounts", false },
		{ "accounts show @a:b", "GET /admin/v1/accounts/%40a%3Ab", false },
		{ "accounts sign-out @a:b --reason why",
		  "POST /admin/v1/accounts/%40a%3Ab/sign-out ", true },
		{ "accounts erase @a:b --reason why", "POST /admin/v1/accounts/%40a%3Ab/erase ",
		  true },
		{ "suppressions list", "GET /admin/v1/suppressions", false },
		{ "suppressions add email @b.c --reason why",
		  "PUT /admin/v1/suppressions/email/%40b.c ", true },
		{ "suppressions remove msisdn 44* --reason why",
		  "POST /admin/v1/suppressions/msisdn/44%2A/remove ", true },
		{ "export user @a:b", "GET /admin/v1/people/user/%40a%3Ab/export", false },
		{ "export address email a@b.c", "GET /admin/v1/people/address/email/a%40b.c/export",
		  false },
		{ "erase user @a:b --reason why", "POST /admin/v1/people/user/%40a%3Ab/erase ",
		  true },
		{ "erase address email a@b.c --reason why",
		  "POST /admin/v1/people/address/email/a%40b.c/erase ", true },
		{ "audit", "GET /admin/v1/audit?since=0", false },
		{ "audit --since 2023-11-14 --of @a:b --of-address email:a@b.c",
		  "GET /admin/v1/audit?since=1699920000000&of=%40a%3Ab&of_address=email%3Aa%40b.c",
		  false },
		{ "outbox list --kind mail", "GET /admin/v1/outbox?kind=mail", false },
		{ "outbox drop 7 --reason why", "POST /admin/v1/outbox/7/drop ", true },
		{ "outbox try 7 --reason why", "POST /admin/v1/outbox/7/try ", true },
		{ "pepper rotate --reason why", "POST /admin/v1/pepper/rotate ", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		mx_autofree char *expected = mx_strf("%s%s", rows[i].asked,
						     rows[i].has_reason ? reason : "");

		asks(rows[i].line, expected);
	}
}

static void who_asks_is_told_without_a_reason_too(void **state)
{
	(void)state;
	asks("invites redrive t", "POST /admin/v1/invites/t/redrive {\"by\":\"olga\"}");
	asks("bind email a@b.c @a:b --reason why",
	     "PUT /admin/v1/people/address/email/a%40b.c "
	     "{\"user_id\":\"@a:b\",\"by\":\"olga\",\"reason\":\"why\"}");
}

static void a_wrong_command_line_asks_nobody(void **state)
{
	static const char *const lines[] = {
		"who",
		"who address email",
		"who user @a:b --what x",
		"bind email a@b.c @a:b",
		"unbind email a@b.c",
		"sessions",
		"sessions end s",
		"invites",
		"invites list x",
		"invites withdraw t",
		"invites eat t --reason why",
		"accounts erase @a:b",
		"suppressions add email a@b.c",
		"export user",
		"erase user @a:b",
		"audit x",
		"audit --since yesterday",
		"audit --since 7w",
		"audit --since -7d",
		"audit --since d",
		"outbox",
		"outbox drop 7",
		"pepper --reason why",
		"pepper rotate",
		"pepper rotate now --reason why",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		command_mock_reset(NULL);
		assert_int_equal(run(lines[i], NULL), 2);
		assert_int_equal(played.requests, 0);
	}
}

static void says(const char *line, const char *answer, const char *expected)
{
	mx_str_auto said = { 0 };

	command_mock_reset(NULL);
	played.answer = answer;
	assert_int_equal(run(line, &said), EXIT_SUCCESS);
	assert_string_equal(said.ptr, expected);
}

static void answers_are_told_in_words(void **state)
{
	(void)state;
	says("who address email a@b.c",
	     "{\"medium\":\"email\",\"address\":\"a@b.c\",\"user_id\":\"@a:b\",\"ours\":true,"
	     "\"ts\":1700000000000}",
	     "email a@b.c: @a:b\n  since 2023-11-14 22:13:20 UTC, signed by this service\n");
	says("who address email a@b.c",
	     "{\"medium\":\"email\",\"address\":\"a@b.c\",\"listed\":{\"source\":\"staff\","
	     "\"user_id\":\"@a:b\"}}",
	     "email a@b.c: bound to nobody\n  the directory staff says: @a:b\n");
	says("accounts list", "{\"accounts\":[],\"next\":\"abc\"}",
	     "There is nothing to show.\nThere is more: --after abc\n");
	says("suppressions add email a@b.c --reason why", "{}", "done\n");
	says("audit",
	     "{\"audit\":[{\"at_ts\":1700000000000,\"who\":\"olga (unix)\",\"what\":"
	     "\"bind\",\"reason\":\"why\",\"user_hash\":\"xyz\"}]}",
	     "2023-11-14 22:13:20 UTC olga (unix) bind user xyz: why\n");
}

static void what_strangers_chose_does_not_steer_the_terminal(void **state)
{
	(void)state;
	says("who user @a:b",
	     "{\"addresses\":[{\"medium\":\"email\",\"address\":\"\\u001b[2J@b.c\"}]}",
	     "email (unprintable)\n");
}

static void programs_get_the_answer_as_it_is(void **state)
{
	(void)state;
	says("invites resend t --json", "{\"a\": 1}", "{\n  \"a\": 1\n}\n");
	says("export user @a:b", "{\"a\": 1}", "{\n  \"a\": 1\n}\n");
}

static void a_refusal_is_said_and_fails(void **state)
{
	mx_str_auto said = { 0 };

	command_mock_reset(state);
	played.status = 404;
	played.answer = "{\"errcode\":\"M_NOT_FOUND\",\"error\":\"This user has no account\"}";
	assert_int_equal(run("accounts show @a:b", &said), EXIT_FAILURE);
	assert_string_equal(said.ptr, "trinity-identity: This user has no account\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_command_asks_for_one_thing),
		cmocka_unit_test(who_asks_is_told_without_a_reason_too),
		cmocka_unit_test(a_wrong_command_line_asks_nobody),
		cmocka_unit_test(answers_are_told_in_words),
		cmocka_unit_test(what_strangers_chose_does_not_steer_the_terminal),
		cmocka_unit_test(programs_get_the_answer_as_it_is),
		cmocka_unit_test(a_refusal_is_said_and_fails),
	};

	return cmocka_run_group_tests_name("identity/admin/commands", tests, NULL, NULL);
}
