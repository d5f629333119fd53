/* wrap: net_start net_fetch */
#include "notary/alarm.h"

#include "shared/core/arena.h"
#include "shared/core/time.h"
#include "shared/json/json.h"
#include "tests/support/notary_fixture.h"

#define URL "https://alarm.example/hook"

static const struct made_object first = {
	.server = "a.example",
	.valid_until_ts = NOTARY_NOW + MX_DAY_MS,
	.keys = { { .id = "ed25519:1", .seed = 1 } },
};
static const struct made_object reused = {
	.server = "a.example",
	.valid_until_ts = NOTARY_NOW + 2 * MX_DAY_MS,
	.keys = { { .id = "ed25519:1", .seed = 2 } },
};

/* What is at the alarm address. */
struct receiver {
	int status;
	unsigned asked;
	json_t *message; /* the last one */
};

static struct net_mock_answer receive(void *ctx, const struct net_mock_request *request)
{
	struct receiver *receiver = ctx;

	assert_string_equal(request->method, "POST");
	json_decref(receiver->message);
	receiver->message = json_loadb(request->body.ptr, request->body.len, 0, NULL);
	assert_non_null(receiver->message);
	receiver->asked++;
	return (struct net_mock_answer){ .status = receiver->status };
}

static void use_alarm(struct notary_fixture *f, struct receiver *receiver, const char *url)
{
	alarm_free(f->notary.alarm);
	f->notary.alarm = alarm_new(&f->notary, url);
	net_mock_handle(receive, receiver);
}

static void look_later(struct notary_fixture *f)
{
	notary_fixture_pass(f, 5 * MX_SECOND_MS);
	alarm_look(f->notary.alarm);
}

static void make_conflict(struct notary_fixture *f)
{
	notary_fixture_pass(f, MX_SECOND_MS);
	notary_fixture_record(f, &first);
	notary_fixture_record(f, &reused);
}

static void while_all_is_well_nothing_is_told(void **state)
{
	struct receiver receiver = { .status = 200 };
	struct notary_fixture *f = *state;

	use_alarm(f, &receiver, URL);
	notary_fixture_record(f, &first);
	look_later(f);
	assert_int_equal(receiver.asked, 0);
}

static void a_conflict_is_told_once(void **state)
{
	struct receiver receiver = { .status = 200 };
	struct notary_fixture *f = *state;

	use_alarm(f, &receiver, URL);
	make_conflict(f);
	look_later(f);
	assert_int_equal(receiver.asked, 1);
	assert_string_equal(jstr(receiver.message, "server_name"), NOTARY_NAME);
	assert_int_equal(json_array_size(jarr(receiver.message, "conflicts")), 1);
	assert_int_equal(json_array_size(jarr(receiver.message, "compromised")), 0);
	notary_fixture_record(f, &reused);
	look_later(f);
	assert_int_equal(receiver.asked, 1);
	json_decref(receiver.message);
}

/* What is stamped now may be committed after this look. */
static void what_just_happened_is_told_at_the_next_look(void **state)
{
	struct receiver receiver = { .status = 200 };
	struct notary_fixture *f = *state;

	use_alarm(f, &receiver, URL);
	make_conflict(f);
	alarm_look(f->notary.alarm);
	assert_int_equal(receiver.asked, 0);
	look_later(f);
	assert_int_equal(receiver.asked, 1);
	json_decref(receiver.message);
}

static void what_is_not_taken_is_told_again(void **state)
{
	struct receiver receiver = { .status = 503 };
	struct notary_fixture *f = *state;

	use_alarm(f, &receiver, URL);
	make_conflict(f);
	look_later(f);
	look_later(f);
	assert_int_equal(receiver.asked, 2);
	receiver.status = 204;
	look_later(f);
	look_later(f);
	assert_int_equal(receiver.asked, 3);
	assert_int_equal(json_array_size(jarr(receiver.message, "conflicts")), 1);
	json_decref(receiver.message);
}

static void what_happened_before_the_start_is_not_told(void **state)
{
	struct receiver receiver = { .status = 200 };
	struct notary_fixture *f = *state;

	make_conflict(f);
	use_alarm(f, &receiver, URL);
	look_later(f);
	assert_int_equal(receiver.asked, 0);
}

static void a_problem_is_told_until_it_is_another_one(void **state)
{
	struct receiver receiver = { .status = 200 };
	struct notary_fixture *f = *state;
	const json_t *problem;

	use_alarm(f, &receiver, URL);
	alarm_problem(f->notary.alarm, ALARM_KEY_FILES, "line 1 is no key");
	look_later(f);
	problem = json_array_get(jarr(receiver.message, "problems"), 0);
	assert_string_equal(jstr(problem, "what"), "key_files");
	assert_string_equal(jstr(problem, "why"), "line 1 is no key");
	alarm_problem(f->notary.alarm, ALARM_KEY_FILES, "line 1 is no key");
	look_later(f);
	assert_int_equal(receiver.asked, 1);
	alarm_problem(f->notary.alarm, ALARM_KEY_FILES, "line 2 is no key");
	look_later(f);
	assert_int_equal(receiver.asked, 2);
	json_decref(receiver.message);
}

static void a_problem_that_comes_back_is_told_again(void **state)
{
	struct receiver receiver = { .status = 200 };
	struct notary_fixture *f = *state;

	use_alarm(f, &receiver, URL);
	alarm_problem(f->notary.alarm, ALARM_OWN_KEYS, "the disk is full");
	look_later(f);
	alarm_problem(f->notary.alarm, ALARM_OWN_KEYS, NULL);
	look_later(f);
	alarm_problem(f->notary.alarm, ALARM_OWN_KEYS, "the disk is full");
	look_later(f);
	assert_int_equal(receiver.asked, 2);
	json_decref(receiver.message);
}

static void without_an_address_nobody_is_told(void **state)
{
	struct receiver receiver = { .status = 200 };
	struct notary_fixture *f = *state;

	use_alarm(f, &receiver, NULL);
	make_conflict(f);
	alarm_problem(f->notary.alarm, ALARM_OWN_KEYS, "the disk is full");
	look_later(f);
	assert_int_equal(receiver.asked, 0);
}

static void a_clock_that_goes_back_tells_nothing_twice(void **state)
{
	struct receiver receiver = { .status = 200 };
	struct notary_fixture *f = *state;

	use_alarm(f, &receiver, URL);
	make_conflict(f);
	look_later(f);
	notary_fixture_pass(f, -MX_HOUR_MS);
	alarm_look(f->notary.alarm);
	look_later(f);
	assert_int_equal(receiver.asked, 1);
	json_decref(receiver.message);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		notary_test(while_all_is_well_nothing_is_told),
		notary_test(a_conflict_is_told_once),
		notary_test(what_just_happened_is_told_at_the_next_look),
		notary_test(what_is_not_taken_is_told_again),
		notary_test(what_happened_before_the_start_is_not_told),
		notary_test(a_problem_is_told_until_it_is_another_one),
		notary_test(a_problem_that_comes_back_is_told_again),
		notary_test(without_an_address_nobody_is_told),
		notary_test(a_clock_that_goes_back_tells_nothing_twice),
	};

	return cmocka_run_group_tests_name("notary/alarm", tests, NULL, NULL);
}
