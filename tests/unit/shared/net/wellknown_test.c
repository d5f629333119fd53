/* wrap: net_job_new net_job_start */
#include "shared/net/wellknown.h"

#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/time.h"
#include "shared/net/job.h"
#include "shared/net/state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define HOST    "a.test"
#define WEEK_MS (7 * MX_DAY_MS)

/* ---- a network of one request, which the test answers */

static struct {
	struct net_job job;
	char *url;
	size_t max_bytes;
	unsigned redirects;
	int64_t total_ms;
	net_done_fn *done; /* NULL: nobody waits for an answer */
	void *ctx;
	int asked;
} network;

struct net_job *__wrap_net_job_new(struct net *net, const struct net_request *request,
				   net_done_fn *done, void *ctx);
void __wrap_net_job_start(struct net_job *job);

struct net_job *__wrap_net_job_new(struct net *net, const struct net_request *request,
				   net_done_fn *done, void *ctx)
{
	(void)net;
	assert_null(network.done); /* never two at once for one name */
	mx_free(network.url);
	network.url = mx_strdup(request->url);
	network.max_bytes = request->max_bytes;
	network.redirects = request->redirects;
	network.total_ms = request->total_ms;
	network.done = done;
	network.ctx = ctx;
	return &network.job;
}

void __wrap_net_job_start(struct net_job *job)
{
	assert_ptr_equal(job, &network.job);
	network.asked++;
}

struct answer {
	int rc, status;
	const char *body, *headers;
};

static void reply(struct answer answer)
{
	const struct net_response response = {
		.rc = answer.rc,
		.status = answer.status,
		.body = mx_slice(answer.body),
	};
	net_done_fn *done = network.done;

	assert_non_null(done);
	network.done = NULL;
	mx_str_clear(&network.job.cache_headers);
	if (answer.headers)
		mx_str_add_text(&network.job.cache_headers, answer.headers);
	done(network.ctx, &response);
}

/* ---- somebody who asks */

struct fixture {
	struct net net;
	struct net_wait wait;
	struct net_task task;
	int woken;
	int64_t now_ms;
};

static void woken(struct net_task *task)
{
	net_entry(task, struct fixture, task)->woken++;
}

static void pass(struct fixture *f, int64_t ms)
{
	f->now_ms += ms;
	mx_time_fake(f->now_ms, f->now_ms);
}

static int set_up(void **state)
{
	static const struct net_conf conf = { 0 };
	struct fixture *f = mx_calloc(1, sizeof(*f));

	net_list_init(&f->net.loop.runnable);
	f->net.wellknown = net_wellknown_new(&f->net, &conf);
	f->task.run = woken;
	f->now_ms = 1000 * MX_DAY_MS;
	pass(f, 0);
	memset(&network, 0, sizeof(network));
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	if (network.done)
		reply((struct answer){ .rc = -MX_BUSY });
	net_task_cancel(&f->task);
	net_wellknown_free(f->net.wellknown);
	mx_str_done(&network.job.cache_headers);
	mx_free(network.url);
	mx_free(f);
	mx_time_fake(-1, -1);
	return 0;
}

static const struct net_delegation *ask(struct fixture *f)
{
	return net_wellknown_ask(f->net.wellknown, HOST, &f->wait, &f->task);
}

/* Asks, lets the network answer, and is woken; what is known then. */
static const struct net_delegation *learn(struct fixture *f, struct answer answer)
{
	assert_null(ask(f));
	reply(answer);
	net_loop_run(&f->net.loop);
	return ask(f);
}

static const struct answer to_b = { .status = 200, .body = "{\"m.server\":\"b.test\"}" };

static struct answer with_headers(const char *headers)
{
	struct answer answer = to_b;

	answer.headers = headers;
	return answer;
}

/* Whether it is asked again after so long. */
static bool is_fresh_after(struct fixture *f, int64_t ms)
{
	bool fresh;

	pass(f, ms);
	fresh = ask(f) != NULL;
	pass(f, -ms);
	if (network.done)
		reply((struct answer){ .rc = -MX_BUSY });
	return fresh;
}

static void a_name_is_asked_at_its_well_known_place(void **state)
{
	struct fixture *f = *state;
	const struct net_delegation *known = learn(f, to_b);

	assert_string_equal(network.url, "https://" HOST ":443/.well-known/matrix/server");
	assert_int_equal(network.max_bytes, 50 * 1024);
	assert_int_equal(network.redirects, 5);
	assert_in_range(network.total_ms, 1, 5000);
	assert_int_equal(f->woken, 1);
	assert_string_equal(known->server, "b.test");
	assert_int_equal(network.asked, 1);
}

static void many_who_ask_cause_one_request(void **state)
{
	struct fixture *f = *state;
	struct net_wait other = { 0 };

	assert_null(ask(f));
	assert_null(ask(f));
	assert_null(net_wellknown_ask(f->net.wellknown, HOST, &other, &f->task));
	assert_int_equal(network.asked, 1);
	reply(to_b);
	net_loop_run(&f->net.loop);
	assert_int_equal(f->woken, 1);
	assert_true(net_list_empty(&f->net.loop.runnable));
}

/* How long a valid answer is kept, by its headers: at least five minutes, at most two days. */
static void valid_answers_are_kept_as_asked_within_bounds(void **state)
{
	static const struct {
		const char *headers;
		int64_t fresh_ms, old_ms; /* still known; asked again */
	} rows[] = {
		{ NULL, 21 * MX_HOUR_MS, 27 * MX_HOUR_MS },
		{ "Cache-Control: max-age=0\r\n", 5 * MX_MINUTE_MS - 1, 5 * MX_MINUTE_MS },
		{ "Cache-Control: no-store\r\n", 5 * MX_MINUTE_MS - 1, 5 * MX_MINUTE_MS },
		{ "Cache-Control: max-age=3600\r\n", MX_HOUR_MS - 1, MX_HOUR_MS },
		{ "Cache-Control: max-age=9999999\r\n", 48 * MX_HOUR_MS - 1, 48 * MX_HOUR_MS },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		tear_down(state);
		set_up(state);
		assert_non_null(learn(*state, with_headers(rows[i].headers)));
		assert_true(is_fresh_after(*state, rows[i].fresh_ms));
		assert_false(is_fresh_after(*state, rows[i].old_ms));
	}
}

static void in_the_last_fifth_of_its_time_it_is_asked_for_again(void **state)
{
	struct fixture *f = *state;

	learn(f, with_headers("Cache-Control: max-age=1000\r\n"));
	pass(f, 799 * MX_SECOND_MS);
	assert_non_null(ask(f));
	assert_int_equal(network.asked, 1);
	pass(f, MX_SECOND_MS);
	assert_non_null(ask(f)); /* nobody waits for it */
	assert_non_null(ask(f));
	assert_int_equal(network.asked, 2);
	reply((struct answer){ .status = 200, .body = "{\"m.server\":\"c.test\"}" });
	assert_string_equal(ask(f)->server, "c.test");
}

static const struct answer passing[] = {
	{ .rc = -MX_REMOTE_TIMEOUT },
	{ .rc = -MX_REMOTE_FAILED },
	{ .rc = -MX_BUSY },
	{ .status = 500 },
	{ .status = 503 },
	{ .status = 429 },
};

static const struct answer decided[] = {
	{ .status = 404 },
	{ .status = 302 },
	{ .status = 204 },
	{ .rc = -MX_TOO_LARGE },
	{ .rc = -MX_ADDRESS_REFUSED },
	{ .status = 200, .body = "{}" },
	{ .status = 200, .body = "<html>" },
	{ .status = 404, .body = "{\"m.server\":\"c.test\"}" },
};

static void an_old_answer_outlives_passing_failures_for_two_hours(void **state)
{
	for (size_t i = 0; i < sizeof(passing) / sizeof(passing[0]); i++) {
		const struct net_delegation *known;
		struct fixture *f;

		tear_down(state);
		set_up(state);
		f = *state;
		learn(f, with_headers("Cache-Control: max-age=600\r\n"));
		pass(f, 600 * MX_SECOND_MS);
		known = learn(f, passing[i]);
		assert_string_equal(known->server, "b.test");
		assert_true(is_fresh_after(f, 119 * MX_SECOND_MS));
		pass(f, 2 * MX_HOUR_MS);
		known = learn(f, passing[i]);
		assert_null(known->server);
		assert_non_null(known->reason);
	}
}

static void a_decision_ends_a_delegation_at_once(void **state)
{
	for (size_t i = 0; i < sizeof(decided) / sizeof(decided[0]); i++) {
		const struct net_delegation *known;

		tear_down(state);
		set_up(state);
		learn(*state, with_headers("Cache-Control: max-age=600\r\n"));
		pass(*state, 600 * MX_SECOND_MS);
		known = learn(*state, decided[i]);
		assert_null(known->server);
		assert_true(is_fresh_after(*state, 53 * MX_MINUTE_MS)); /* an hour ± 10 % */
		assert_false(is_fresh_after(*state, 67 * MX_MINUTE_MS));
	}
}

static void who_could_never_be_asked_is_asked_less_and_less(void **state)
{
	struct fixture *f = *state;
	int64_t expected = 2 * MX_MINUTE_MS;

	for (unsigned i = 1; i <= 8; i++) {
		const struct net_delegation *known = learn(f, passing[0]);
		int64_t pause = known->fresh_until_ms - f->now_ms;

		assert_null(known->server);
		assert_int_equal(known->failures, i);
		assert_in_range(pause, expected * 9 / 10, expected * 11 / 10);
		pass(f, pause);
		expected = expected * 2 < MX_HOUR_MS ? expected * 2 : MX_HOUR_MS;
	}
	assert_string_equal(learn(f, to_b)->server, "b.test");
	assert_int_equal(ask(f)->failures, 0);
}

static void a_jump_of_the_wall_clock_changes_nothing(void **state)
{
	struct fixture *f = *state;

	learn(f, with_headers("Cache-Control: max-age=1000\r\n"));
	mx_time_fake(f->now_ms + WEEK_MS, f->now_ms);
	assert_non_null(ask(f));
	mx_time_fake(1, f->now_ms);
	assert_non_null(ask(f));
	assert_int_equal(network.asked, 1);
}

static void names_keep_their_case(void **state)
{
	struct fixture *f = *state;

	learn(f, to_b);
	assert_null(net_wellknown_ask(f->net.wellknown, "A.test", &f->wait, &f->task));
	assert_int_equal(network.asked, 2);
	assert_string_equal(network.url, "https://A.test:443/.well-known/matrix/server");
}

static void the_end_teaches_nothing(void **state)
{
	struct fixture *f = *state;

	assert_null(ask(f));
	f->net.stopping = true;
	reply(to_b);
	f->net.stopping = false;
	assert_null(ask(f));
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_name_is_asked_at_its_well_known_place),
		test(many_who_ask_cause_one_request),
		test(valid_answers_are_kept_as_asked_within_bounds),
		test(in_the_last_fifth_of_its_time_it_is_asked_for_again),
		test(an_old_answer_outlives_passing_failures_for_two_hours),
		test(a_decision_ends_a_delegation_at_once),
		test(who_could_never_be_asked_is_asked_less_and_less),
		test(a_jump_of_the_wall_clock_changes_nothing),
		test(names_keep_their_case),
		test(the_end_teaches_nothing),
	};
	return cmocka_run_group_tests_name("net/wellknown", tests, NULL, NULL);
}
