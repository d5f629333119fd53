/* wrap: smtp_send outbox_no_return */
#include "shared/mail/mailer.h"

#include "shared/core/error.h"
#include "shared/mail/address.h"
#include "tests/support/store_fixture.h"

#include <semaphore.h>

/* What the relay was told, and what it says. */
static struct {
	enum outbox_result answer;
	const char *why;
	char to[100], from[100], host[100];
	struct mx_str bytes;
	int ended;
	sem_t done;
} relay;

static bool disk_is_full;

static enum outbox_result say(const struct smtp_message *message, struct mx_error *err)
{
	enum outbox_result result = relay.answer;

	if (result != OUTBOX_SENT) {
		mx_fail(err, MX_REMOTE_FAILED, "%s", relay.why);
	} else if (message->before_end(message->ctx)) {
		mx_fail(err, MX_REMOTE_FAILED, "Aborted");
		result = OUTBOX_AGAIN;
	} else {
		relay.ended++;
	}
	sem_post(&relay.done);
	return result;
}

enum outbox_result __wrap_smtp_send(const struct smtp_conf *conf,
				    const struct smtp_message *message, struct mx_error *err);

enum outbox_result __wrap_smtp_send(const struct smtp_conf *conf,
				    const struct smtp_message *message, struct mx_error *err)
{
	strncpy(relay.to, message->to, sizeof(relay.to) - 1);
	strncpy(relay.from, message->from, sizeof(relay.from) - 1);
	strncpy(relay.host, conf->host, sizeof(relay.host) - 1);
	mx_str_clear(&relay.bytes);
	mx_str_add_slice(&relay.bytes, message->bytes);
	return say(message, err);
}

int __real_outbox_no_return(struct outbox *outbox, const struct outbox_item *item,
			    struct mx_error *err);
int __wrap_outbox_no_return(struct outbox *outbox, const struct outbox_item *item,
			    struct mx_error *err);

int __wrap_outbox_no_return(struct outbox *outbox, const struct outbox_item *item,
			    struct mx_error *err)
{
	if (disk_is_full)
		return mx_fail(err, MX_STORE_FULL, "The disk is full");
	return __real_outbox_no_return(outbox, item, err);
}

struct world {
	struct store *store;
	struct outbox *outbox;
	struct mailer *mailer;
};

static const struct mailer_conf conf = { .smtp = { .host = "relay.example" },
					 .from = "Trinity <id@example.org>" };

static void world_begin(struct world *world)
{
	struct outbox_kind kind;

	sem_init(&relay.done, 0, 0);
	relay.ended = 0;
	world->store = store_fixture_open(outbox_tables);
	assert_int_equal(mailer_new(&conf, &world->mailer, NULL), 0);
	kind = mailer_kind(world->mailer);
	assert_int_equal(outbox_new(&(struct outbox_conf){ .store = world->store,
							   .kinds = &kind,
							   .kinds_len = 1 },
				    &world->outbox, NULL),
			 0);
	mailer_use(world->mailer, world->outbox);
	outbox_start(world->outbox);
}

static void world_end(struct world *world)
{
	outbox_free(world->outbox);
	mailer_free(world->mailer);
	store_close(world->store);
	mx_str_done(&relay.bytes);
}

static uint64_t send_to(struct world *world, const char *to)
{
	struct store_txn *txn = store_txn_begin(world->store);
	struct mail_address address;
	uint64_t id;

	assert_int_equal(mail_address_parse(mx_slice(to), &address, NULL), 0);
	assert_int_equal(mailer_add(world->mailer, txn, &address,
				    &(struct mail){ .subject = "Hi", .text = "Hello" }, &id, NULL),
			 0);
	mail_address_done(&address);
	assert_int_equal(store_txn_commit(txn, NULL), 0);
	sem_wait(&relay.done);
	return id;
}

static void a_mail_leaves_once_its_transaction_is_committed(void **state)
{
	struct world world;
	char why_not[256];

	(void)state;
	relay.answer = OUTBOX_SENT;
	world_begin(&world);
	send_to(&world, "Alice@B\xC3\xBC"
			"cher.example");
	outbox_stop(world.outbox, 1000);
	assert_string_equal(relay.to, "Alice@xn--bcher-kva.example");
	assert_string_equal(relay.from, "id@example.org");
	assert_string_equal(relay.host, "relay.example");
	assert_non_null(strstr(relay.bytes.ptr, "From: \"Trinity\" <id@example.org>\r\n"));
	assert_int_equal(relay.ended, 1);
	assert_true(mailer_is_well(world.mailer, why_not));
	world_end(&world);
}

static void a_relay_that_fails_is_not_well_until_it_works(void **state)
{
	struct world world;
	char why_not[256];
	uint64_t id;

	(void)state;
	relay.answer = OUTBOX_AGAIN;
	relay.why = "Connection refused";
	world_begin(&world);
	id = send_to(&world, "alice@example.com");
	while (mailer_is_well(world.mailer, why_not))
		outbox_hasten(world.outbox, id, NULL);
	assert_non_null(strstr(why_not, "mails failed: Connection refused"));
	relay.answer = OUTBOX_SENT;
	while (!mailer_is_well(world.mailer, why_not))
		outbox_hasten(world.outbox, id, NULL);
	world_end(&world);
}

static void a_disk_that_is_full_is_not_the_relays_fault(void **state)
{
	struct outbox_report report = { 0 };
	struct world world;
	char why_not[256];
	uint64_t id;

	(void)state;
	relay.answer = OUTBOX_SENT;
	disk_is_full = true;
	world_begin(&world);
	id = send_to(&world, "alice@example.com");
	while (report.attempts == 0)
		outbox_look(world.outbox, id, &report);
	assert_string_equal(report.why, "The disk is full");
	assert_true(mailer_is_well(world.mailer, why_not));
	disk_is_full = false;
	while (outbox_hasten(world.outbox, id, NULL))
		continue;
	sem_wait(&relay.done);
	assert_int_equal(relay.ended, 1);
	world_end(&world);
}

static void a_new_relay_is_used_from_the_next_mail_on(void **state)
{
	struct mailer_conf other = conf;
	struct world world;

	(void)state;
	relay.answer = OUTBOX_SENT;
	world_begin(&world);
	other.smtp.host = "other.example";
	assert_int_equal(mailer_set(world.mailer, &other, NULL), 0);
	send_to(&world, "alice@example.com");
	assert_string_equal(relay.host, "other.example");
	other.from = "nobody";
	assert_int_equal(mailer_set(world.mailer, &other, NULL), -MX_BAD_CONFIG);
	world_end(&world);
}

static void a_mail_has_a_size(void **state)
{
	struct store_txn *txn;
	struct mail_address address;
	mx_str_auto text = { 0 };
	struct world world;
	uint64_t id;

	(void)state;
	world_begin(&world);
	while (text.len <= OUTBOX_PAYLOAD_MAX)
		mx_str_add_text(&text, "a long line that says nothing\n");
	txn = store_txn_begin(world.store);
	assert_int_equal(mail_address_parse(MX_SLICE("a@b.org"), &address, NULL), 0);
	assert_int_equal(mailer_add(world.mailer, txn, &address,
				    &(struct mail){ .subject = "Hi", .text = text.ptr }, &id, NULL),
			 -MX_TOO_LARGE);
	mail_address_done(&address);
	store_txn_abort(txn);
	world_end(&world);
}

static void a_test_mail_is_sent_without_the_outbox(void **state)
{
	const struct mail mail = { .subject = "Test", .text = "Hello" };
	struct mx_error err = { 0 };
	struct mail_address to;
	struct world world;

	(void)state;
	world_begin(&world);
	assert_int_equal(mail_address_parse(MX_SLICE("alice@example.com"), &to, NULL), 0);
	relay.answer = OUTBOX_REFUSED;
	relay.why = "550 no such user";
	assert_int_equal(mailer_send(world.mailer, &to, &mail, NULL, &err), OUTBOX_REFUSED);
	assert_string_equal(err.text, "550 no such user");
	assert_non_null(strstr(relay.bytes.ptr, "Subject: Test\r\n"));
	mail_address_done(&to);
	world_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mail_leaves_once_its_transaction_is_committed),
		cmocka_unit_test(a_relay_that_fails_is_not_well_until_it_works),
		cmocka_unit_test(a_disk_that_is_full_is_not_the_relays_fault),
		cmocka_unit_test(a_new_relay_is_used_from_the_next_mail_on),
		cmocka_unit_test(a_mail_has_a_size),
		cmocka_unit_test(a_test_mail_is_sent_without_the_outbox),
	};

	return cmocka_run_group_tests_name("mail/mailer", tests, NULL, NULL);
}
