/* wrap: net_start net_fetch */
#include "identity/sms/sms.h"

#include "identity/sms/sms_conf.h"
#include "identity/sms/sms_spend_db.h"
#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "tests/support/net_mock.h"
#include "tests/support/store_fixture.h"

#include <pthread.h>
#include <time.h>

#define BRITISH  "447700900001"
#define AMERICAN "12025550123"

static const char *allowed[] = { "GB" };
static struct sms_price_conf prices[] = { { "default", "1.5" } };

static const struct sms_conf webhook = {
	.gateway = "webhook",
	.url = "https://sms.example/",
	.webhook = { .body = "{{ to }} {{ text }}", .body_type = SMS_BODY_TEXT },
	.countries = { .allow = allowed, .allow_count = 1 },
	.prices = prices,
	.prices_count = 1,
	.spend = { .per_day = "3" },
};

/* What the gateway got, and says. Messages come on threads of the outbox. */
static struct {
	pthread_mutex_t lock; /* of the body */
	int status;
	char body[200];
} gateway = { .lock = PTHREAD_MUTEX_INITIALIZER };

struct world {
	struct sms_conf conf;
	struct store *store;
	struct outbox *outbox;
	struct sms *sms;
};

static struct net_mock_answer receive(void *ctx, const struct net_mock_request *request)
{
	struct net_mock_answer answer = { .status = gateway.status };

	(void)ctx;
	pthread_mutex_lock(&gateway.lock);
	snprintf(gateway.body, sizeof(gateway.body), "%.*s", MX_SLICE_ARG(request->body));
	pthread_mutex_unlock(&gateway.lock);
	return answer;
}

static struct world *world_new(struct sms_conf conf)
{
	struct world *world = mx_calloc(1, sizeof(*world));
	const struct store_table *const tables[] = { outbox_tables[0], &sms_spend_table, NULL };
	struct outbox_kind kind;

	gateway.status = 200;
	net_mock_reset();
	net_mock_handle(receive, NULL);
	world->conf = conf;
	world->store = store_fixture_open(tables);
	assert_int_equal(sms_conf_check(&world->conf, NULL), 0);
	assert_int_equal(sms_new(&world->conf, &(struct sms_needs){ .store = world->store },
				 &world->sms, NULL),
			 0);
	kind = sms_kind(world->sms);
	assert_int_equal(outbox_new(&(struct outbox_conf){ .store = world->store,
							   .kinds = &kind,
							   .kinds_len = 1 },
				    &world->outbox, NULL),
			 0);
	sms_use(world->sms, world->outbox);
	outbox_start(world->outbox);
	return world;
}

static int with_gateway(void **state)
{
	*state = world_new(webhook);
	return 0;
}

static int without_gateway(void **state)
{
	*state = world_new((struct sms_conf){ 0 });
	return 0;
}

static int end_world(void **state)
{
	struct world *world = *state;

	outbox_free(world->outbox);
	sms_free(world->sms);
	store_close(world->store);
	mx_free(world);
	return 0;
}

#define world_test(function) cmocka_unit_test_setup_teardown(function, with_gateway, end_world)

static int add(struct world *world, const char *msisdn, uint64_t *ret_id)
{
	struct store_txn *txn = store_txn_begin(world->store);
	int rc = sms_add(world->sms, txn, msisdn, "Code 123456", ret_id, NULL);

	if (rc)
		store_txn_abort(txn);
	else
		assert_int_equal(store_txn_commit(txn, NULL), 0);
	return rc;
}

static enum outbox_result end_of(struct world *world, uint64_t id)
{
	struct outbox_report report;

	do
		outbox_look(world->outbox, id, &report);
	while (report.stage == OUTBOX_WAITING || report.stage == OUTBOX_SENDING);
	return report.result;
}

static int64_t spent_today(struct world *world)
{
	char day[16];
	time_t now = (time_t)(mx_now_ms() / MX_SECOND_MS);
	struct tm utc;
	int64_t sum;

	gmtime_r(&now, &utc);
	strftime(day, sizeof(day), "%Y-%m-%d", &utc);
	assert_int_equal(sms_spend_db_sum(world->store, day, &sum, NULL), 0);
	return sum;
}

static void a_message_leaves_once_its_transaction_is_committed(void **state)
{
	struct world *world = *state;
	uint64_t id;

	assert_int_equal(add(world, BRITISH, &id), 0);
	assert_int_equal(end_of(world, id), OUTBOX_SENT);
	assert_string_equal(gateway.body, BRITISH " Code 123456");
	assert_int_equal(net_mock_asked(), 1);
	assert_int_equal(spent_today(world), 1500000);
}

static void the_rules_are_asked_before_anything_is_queued(void **state)
{
	struct world *world = *state;
	struct mx_error err = { 0 };
	uint64_t id;

	assert_int_equal(add(world, AMERICAN, &id), -MX_DESTINATION_REJECTED);
	assert_int_equal(sms_may_send(world->sms, AMERICAN, &err), -MX_DESTINATION_REJECTED);
	assert_int_equal(sms_may_send(world->sms, "12", &err), -MX_DESTINATION_REJECTED);
	assert_int_equal(sms_may_send(world->sms, BRITISH, &err), 0);
	assert_int_equal(net_mock_asked(), 0);
}

static void without_a_gateway_every_number_is_refused(void **state)
{
	struct world *world = *state;
	uint64_t id;

	assert_int_equal(sms_may_send(world->sms, BRITISH, NULL), -MX_DESTINATION_REJECTED);
	assert_int_equal(add(world, BRITISH, &id), -MX_DESTINATION_REJECTED);
	assert_int_equal(sms_send(world->sms, BRITISH, "Hi", NULL), OUTBOX_REFUSED);
}

static void the_cap_ends_all_sending(void **state)
{
	struct world *world = *state;
	uint64_t id;

	for (int i = 0; i < 2; i++) {
		assert_int_equal(add(world, BRITISH, &id), 0);
		assert_int_equal(end_of(world, id), OUTBOX_SENT);
	}
	assert_int_equal(add(world, BRITISH, &id), -MX_DESTINATION_REJECTED);
	assert_int_equal(sms_send(world->sms, BRITISH, "Hi", NULL), OUTBOX_REFUSED);
	assert_int_equal(spent_today(world), 3000000);
}

static void messages_that_wait_cannot_pass_the_cap(void **state)
{
	struct world *world = *state;
	uint64_t ids[4];
	unsigned sent = 0;
	struct store_txn *txn = store_txn_begin(world->store);

	for (int i = 0; i < 4; i++)
		assert_int_equal(sms_add(world->sms, txn, BRITISH, "Hi", &ids[i], NULL), 0);
	assert_int_equal(store_txn_commit(txn, NULL), 0);
	for (int i = 0; i < 4; i++)
		sent += end_of(world, ids[i]) == OUTBOX_SENT;
	assert_int_equal(sent, 2);
	assert_int_equal(net_mock_asked(), 2);
}

static void a_refused_message_costs_nothing(void **state)
{
	struct world *world = *state;
	uint64_t id;

	gateway.status = 400;
	assert_int_equal(add(world, BRITISH, &id), 0);
	assert_int_equal(end_of(world, id), OUTBOX_REFUSED);
	assert_int_equal(spent_today(world), 0);
}

static void an_unsure_message_is_paid_and_not_repeated(void **state)
{
	struct world *world = *state;
	uint64_t id;

	gateway.status = 502;
	assert_int_equal(add(world, BRITISH, &id), 0);
	assert_int_equal(end_of(world, id), OUTBOX_UNSURE);
	assert_int_equal(net_mock_asked(), 1);
	assert_int_equal(spent_today(world), 1500000);
}

static void a_busy_gateway_is_asked_again(void **state)
{
	struct world *world = *state;
	struct outbox_report report;
	uint64_t id;

	gateway.status = 503;
	assert_int_equal(add(world, BRITISH, &id), 0);
	do
		outbox_look(world->outbox, id, &report);
	while (report.attempts == 0);
	gateway.status = 200;
	while (outbox_hasten(world->outbox, id, NULL))
		continue;
	assert_int_equal(end_of(world, id), OUTBOX_SENT);
	assert_int_equal(net_mock_asked(), 2);
	assert_int_equal(spent_today(world), 1500000);
}

static void a_new_configuration_holds_for_what_waits(void **state)
{
	struct world *world = *state;
	const char *denied[] = { "+44" };
	struct outbox_report report;
	struct sms_conf other;
	uint64_t id;

	gateway.status = 429;
	assert_int_equal(add(world, BRITISH, &id), 0);
	do
		outbox_look(world->outbox, id, &report);
	while (report.attempts == 0);
	other = world->conf;
	other.countries.deny = denied;
	other.countries.deny_count = 1;
	assert_int_equal(sms_set(world->sms, &other, NULL), 0);
	while (outbox_hasten(world->outbox, id, NULL))
		continue;
	assert_int_equal(end_of(world, id), OUTBOX_REFUSED);
	assert_int_equal(net_mock_asked(), 1);
}

static void a_test_message_is_sent_and_paid_at_once(void **state)
{
	struct world *world = *state;

	assert_int_equal(sms_send(world->sms, BRITISH, "Hi", NULL), OUTBOX_SENT);
	assert_string_equal(gateway.body, BRITISH " Hi");
	assert_int_equal(spent_today(world), 1500000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(a_message_leaves_once_its_transaction_is_committed),
		world_test(the_rules_are_asked_before_anything_is_queued),
		cmocka_unit_test_setup_teardown(without_a_gateway_every_number_is_refused,
						without_gateway, end_world),
		world_test(the_cap_ends_all_sending),
		world_test(messages_that_wait_cannot_pass_the_cap),
		world_test(a_refused_message_costs_nothing),
		world_test(an_unsure_message_is_paid_and_not_repeated),
		world_test(a_busy_gateway_is_asked_again),
		world_test(a_new_configuration_holds_for_what_waits),
		world_test(a_test_message_is_sent_and_paid_at_once),
	};

	/* At noon: what is spent before midnight is not of today after it. */
	mx_time_shift(MX_DAY_MS / 2 - mx_now_ms() % MX_DAY_MS);
	return cmocka_run_group_tests_name("sms/sms", tests, NULL, NULL);
}
