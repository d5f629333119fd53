#include "shared/mail/relay_watch.h"

#include "shared/core/error.h"
#include "shared/core/str.h"
#include "tests/support/store_fixture.h"

#include <semaphore.h>

/* A relay that is played. */
static struct {
	const char *why; /* NULL: it is in order */
	bool hangs; /* until it is told to hurry */
	sem_t probed;
} relay;

static int probe(void *ctx, const _Atomic bool *hurry, struct mx_error *err)
{
	(void)ctx;
	sem_post(&relay.probed);
	while (relay.hangs && !*hurry)
		continue;
	return relay.why ? mx_fail(err, MX_REMOTE_FAILED, "%s", relay.why) : 0;
}

static struct relay_watch *watch_new(void)
{
	memset(&relay, 0, sizeof(relay));
	sem_init(&relay.probed, 0, 0);
	return relay_watch_new(probe, NULL);
}

static void note(struct relay_watch *watch, enum outbox_result result, const char *why)
{
	struct mx_error err = { 0 };

	mx_fail(&err, MX_REMOTE_FAILED, "%s", why);
	relay_watch_note(watch, result, &err);
}

static void is_well(struct relay_watch *watch)
{
	char why[256];

	if (!relay_watch_is_well(watch, why))
		fail_msg("%s", why);
}

static void is_ill(struct relay_watch *watch, const char *expected)
{
	char why[256];

	assert_false(relay_watch_is_well(watch, why));
	assert_string_equal(why, expected);
}

static void a_failed_probe_is_enough(void **state)
{
	struct relay_watch *watch = watch_new();

	(void)state;
	is_well(watch);
	relay.why = "Connection refused";
	assert_int_equal(relay_watch_probe(watch, NULL), -MX_REMOTE_FAILED);
	is_ill(watch, "the relay is out of order: Connection refused");
	relay.why = NULL;
	assert_int_equal(relay_watch_probe(watch, NULL), 0);
	is_well(watch);
	relay_watch_free(watch);
}

static void three_mails_in_a_row_have_to_fail(void **state)
{
	struct relay_watch *watch = watch_new();

	(void)state;
	for (int i = 0; i < 2; i++)
		note(watch, OUTBOX_REFUSED, "550 no such user");
	is_well(watch);
	note(watch, OUTBOX_SENT, "");
	note(watch, OUTBOX_REFUSED, "550 no such user");
	is_well(watch);
	for (int i = 0; i < 2; i++)
		note(watch, OUTBOX_REFUSED, "554 you are blocked");
	is_ill(watch, "the last 3 mails failed: 554 you are blocked");
	note(watch, OUTBOX_SENT, "");
	is_well(watch);
	relay_watch_free(watch);
}

static void a_probe_forgives_what_may_be_tried_again_only(void **state)
{
	struct relay_watch *watch = watch_new();

	(void)state;
	for (int i = 0; i < 3; i++)
		note(watch, OUTBOX_UNSURE, "no answer");
	relay_watch_probe(watch, NULL);
	is_ill(watch, "the last 3 mails failed: no answer");
	note(watch, OUTBOX_AGAIN, "Connection refused");
	is_ill(watch, "the last 4 mails failed: Connection refused");
	relay_watch_probe(watch, NULL);
	is_well(watch);
	relay_watch_free(watch);
}

static void another_relay_starts_afresh(void **state)
{
	struct relay_watch *watch = watch_new();

	(void)state;
	relay.why = "no";
	relay_watch_probe(watch, NULL);
	relay_watch_reset(watch);
	is_well(watch);
	relay_watch_free(watch);
}

static void it_is_probed_at_the_start(void **state)
{
	struct relay_watch *watch = watch_new();
	char why[256];

	(void)state;
	relay.why = "gone";
	relay_watch_start(watch);
	sem_wait(&relay.probed);
	while (relay_watch_is_well(watch, why))
		continue;
	is_ill(watch, "the relay is out of order: gone");
	relay_watch_free(watch);
}

static void a_relay_that_hangs_does_not_hold_up_the_end(void **state)
{
	struct relay_watch *watch = watch_new();

	(void)state;
	relay.hangs = true;
	relay.why = "cut short";
	relay_watch_start(watch);
	sem_wait(&relay.probed);
	relay_watch_stop(watch);
	is_well(watch);
	relay_watch_free(watch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_failed_probe_is_enough),
		cmocka_unit_test(three_mails_in_a_row_have_to_fail),
		cmocka_unit_test(a_probe_forgives_what_may_be_tried_again_only),
		cmocka_unit_test(another_relay_starts_afresh),
		cmocka_unit_test(it_is_probed_at_the_start),
		cmocka_unit_test(a_relay_that_hangs_does_not_hold_up_the_end),
	};

	return cmocka_run_group_tests_name("mail/relay_watch", tests, NULL, NULL);
}
