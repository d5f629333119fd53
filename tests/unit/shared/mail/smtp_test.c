#include "shared/mail/smtp.h"

#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/thread.h"
#include "shared/mail/smtp_trace.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* A relay that answers each command by its first letters. NULL: as a good relay does. */
struct relay {
	const char *greeting, *ehlo, *auth, *mail, *rcpt, *data, *end;
	bool drops; /* closes instead of answering the final dot */
	bool hangs; /* … or says nothing until the other side closes */
	int fd;
	uint16_t port;
	pthread_t thread;
	struct mx_str heard; /* all that it was told */
	bool in_data, took_end;
};

static void say(int fd, const char *text, const char *otherwise)
{
	mx_autofree char *line = mx_strf("%s\r\n", text ? text : otherwise);

	assert_int_equal(write(fd, line, strlen(line)), strlen(line));
}

/* False when it is time to close. */
static bool answer_end(struct relay *relay, int fd)
{
	relay->in_data = false;
	relay->took_end = true;
	if (relay->drops)
		return false;
	if (!relay->hangs)
		say(fd, relay->end, "250 taken");
	return true;
}

static bool answer(struct relay *relay, int fd, const char *line)
{
	if (relay->in_data)
		return streq(line, ".") ? answer_end(relay, fd) : true;
	if (mx_starts_with(line, "EHLO"))
		say(fd, relay->ehlo, "250-relay\r\n250-AUTH PLAIN\r\n250 SMTPUTF8");
	else if (mx_starts_with(line, "AUTH"))
		say(fd, relay->auth, "235 welcome");
	else if (mx_starts_with(line, "AG")) /* base64 of a name after a zero byte */
		say(fd, NULL, "235 welcome");
	else if (mx_starts_with(line, "MAIL"))
		say(fd, relay->mail, "250 ok");
	else if (mx_starts_with(line, "RCPT"))
		say(fd, relay->rcpt, "250 ok");
	else if (mx_starts_with(line, "DATA"))
		say(fd, relay->data, "354 go on");
	else if (mx_starts_with(line, "QUIT"))
		say(fd, NULL, "221 bye");
	else
		say(fd, NULL, "250 ok");
	relay->in_data = mx_starts_with(line, "DATA") && !relay->data;
	return true;
}

static void *relay_main(void *ctx)
{
	struct relay *relay = ctx;
	int fd = accept(relay->fd, NULL, NULL);
	FILE *stream = fdopen(dup(fd), "r");
	char line[2000];

	say(fd, relay->greeting, "220 relay ready");
	while (fgets(line, sizeof(line), stream)) {
		mx_str_add_text(&relay->heard, line);
		line[strcspn(line, "\r\n")] = '\0';
		if (!answer(relay, fd, line))
			break;
	}
	fclose(stream);
	close(fd);
	return NULL;
}

static void relay_start(struct relay *relay)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);

	relay->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(relay->fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(relay->fd, 1), 0);
	assert_int_equal(getsockname(relay->fd, (struct sockaddr *)&address, &len), 0);
	relay->port = ntohs(address.sin_port);
	relay->thread = mx_thread_start("relay", relay_main, relay);
}

static void relay_end(struct relay *relay)
{
	pthread_join(relay->thread, NULL);
	close(relay->fd);
	mx_str_done(&relay->heard);
}

static struct smtp_conf conf_of(const struct relay *relay)
{
	return (struct smtp_conf){
		.host = "127.0.0.1", .port = relay->port, .tls = SMTP_PLAIN, .hello = "here.example"
	};
}

static const struct smtp_message letter = {
	.from = "id@example.org",
	.to = "alice@example.com",
	.bytes = { "Subject: x\r\n\r\nHello\r\n.dot\r\n", 27 },
};

static enum outbox_result deliver(struct relay *relay, const struct smtp_message *message,
				  struct mx_error *err)
{
	struct smtp_conf conf = conf_of(relay);

	return smtp_send(&conf, message, err);
}

static void a_message_is_handed_over(void **state)
{
	struct relay relay = { 0 };

	(void)state;
	relay_start(&relay);
	assert_int_equal(deliver(&relay, &letter, NULL), OUTBOX_SENT);
	pthread_join(relay.thread, NULL);
	assert_non_null(strstr(relay.heard.ptr, "EHLO here.example\r\n"));
	assert_non_null(strstr(relay.heard.ptr, "MAIL FROM:<id@example.org>"));
	assert_non_null(strstr(relay.heard.ptr, "RCPT TO:<alice@example.com>"));
	assert_non_null(strstr(relay.heard.ptr, "\r\nHello\r\n..dot\r\n.\r\n"));
	close(relay.fd);
	mx_str_done(&relay.heard);
}

/* What a relay that says this makes of the message. */
static void the_answer_decides(void **state)
{
	static const struct {
		struct relay relay;
		enum outbox_result result;
		const char *why;
	} moods[] = {
		{ { .greeting = "554 no mail from you" }, OUTBOX_AGAIN, "554 no mail from you" },
		{ { .greeting = "421 too busy" }, OUTBOX_AGAIN, "421 too busy" },
		{ { .rcpt = "550 no such user" }, OUTBOX_REFUSED, "550 no such user" },
		{ { .rcpt = "450 <alice@example.com> try later" },
		  OUTBOX_AGAIN,
		  "450 ... try later" },
		{ { .mail = "553 sender refused" }, OUTBOX_REFUSED, "553 sender refused" },
		{ { .mail = "530 authentication required" },
		  OUTBOX_AGAIN,
		  "530 authentication required" },
		{ { .data = "554 no" }, OUTBOX_REFUSED, "554 no" },
		{ { .data = "421 too busy" }, OUTBOX_AGAIN, "421 too busy" },
		{ { .end = "550 looks like spam" }, OUTBOX_REFUSED, "550 looks like spam" },
		{ { .end = "451 local error" }, OUTBOX_AGAIN, "451 local error" },
		{ { .drops = true }, OUTBOX_UNSURE, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(moods) / sizeof(moods[0]); i++) {
		struct relay relay = moods[i].relay;
		struct mx_error err = { 0 };

		relay_start(&relay);
		if (deliver(&relay, &letter, &err) != moods[i].result)
			fail_msg("%zu: %s", i, err.text);
		if (moods[i].why)
			assert_string_equal(err.text, moods[i].why);
		relay_end(&relay);
	}
}

static void a_wrong_password_is_not_the_message_s_fault(void **state)
{
	struct relay relay = { .auth = "535 no" };
	struct smtp_conf conf;

	(void)state;
	relay_start(&relay);
	conf = conf_of(&relay);
	conf.user = "id";
	conf.password = "wrong";
	assert_int_equal(smtp_send(&conf, &letter, NULL), OUTBOX_AGAIN);
	relay_end(&relay);
}

static void nothing_is_sent_where_tls_is_wanted_and_not_had(void **state)
{
	struct relay relay = { 0 };
	struct smtp_conf conf;

	(void)state;
	relay_start(&relay);
	conf = conf_of(&relay);
	conf.tls = SMTP_STARTTLS;
	assert_int_equal(smtp_send(&conf, &letter, NULL), OUTBOX_AGAIN);
	pthread_join(relay.thread, NULL);
	assert_null(strstr(relay.heard.ptr, "MAIL"));
	close(relay.fd);
	mx_str_done(&relay.heard);
}

static void nobody_there_is_a_reason_to_try_again(void **state)
{
	struct relay relay = { 0 };
	struct smtp_conf conf;

	(void)state;
	relay_start(&relay);
	conf = conf_of(&relay);
	assert_int_equal(smtp_send(&conf, &letter, NULL), OUTBOX_SENT);
	relay_end(&relay);
	assert_int_equal(smtp_send(&conf, &letter, NULL), OUTBOX_AGAIN);
}

static int refuse_to_end(void *ctx)
{
	*(int *)ctx += 1;
	return -MX_STORE_FULL;
}

static int note_end(void *ctx)
{
	*(int *)ctx += 1;
	return 0;
}

static void the_sender_is_asked_just_before_the_end(void **state)
{
	struct relay relay = { 0 };
	struct smtp_message message = letter;
	int asked = 0;

	(void)state;
	message.ctx = &asked;
	message.before_end = note_end;
	relay_start(&relay);
	assert_int_equal(deliver(&relay, &message, NULL), OUTBOX_SENT);
	assert_int_equal(asked, 1);
	relay_end(&relay);
	relay = (struct relay){ 0 };
	message.before_end = refuse_to_end;
	relay_start(&relay);
	assert_int_equal(deliver(&relay, &message, NULL), OUTBOX_AGAIN);
	assert_int_equal(asked, 2);
	pthread_join(relay.thread, NULL);
	assert_false(relay.took_end);
	close(relay.fd);
	mx_str_done(&relay.heard);
}

static void other_letters_need_a_relay_that_takes_them(void **state)
{
	struct relay relay = { .ehlo = "250 relay" };
	struct smtp_message message = letter;

	(void)state;
	message.to = "j\xC3\xBCrgen@example.com";
	message.needs_utf8 = true;
	relay_start(&relay);
	assert_int_equal(deliver(&relay, &message, NULL), OUTBOX_REFUSED);
	relay_end(&relay);
	relay = (struct relay){ 0 };
	relay_start(&relay);
	assert_int_equal(deliver(&relay, &message, NULL), OUTBOX_SENT);
	pthread_join(relay.thread, NULL);
	assert_non_null(strstr(relay.heard.ptr, "SMTPUTF8\r\n"));
	close(relay.fd);
	mx_str_done(&relay.heard);
}

static void a_hanging_relay_has_a_deadline(void **state)
{
	struct relay relay = { .hangs = true };
	struct smtp_conf conf;

	(void)state;
	relay_start(&relay);
	conf = conf_of(&relay);
	conf.total_ms = 300;
	assert_int_equal(smtp_send(&conf, &letter, NULL), OUTBOX_UNSURE);
	relay_end(&relay);
}

static int begin_to_hurry(void *ctx)
{
	atomic_store((_Atomic bool *)ctx, true);
	return 0;
}

static void who_is_in_a_hurry_waits_for_no_relay(void **state)
{
	struct relay relay = { .hangs = true };
	struct smtp_message message = letter;
	_Atomic bool hurry = false;

	(void)state;
	message.hurry = &hurry;
	message.before_end = begin_to_hurry;
	message.ctx = &hurry;
	relay_start(&relay);
	assert_int_equal(deliver(&relay, &message, NULL), OUTBOX_UNSURE);
	relay_end(&relay);
}

static void a_probe_sends_nothing(void **state)
{
	struct relay relay = { 0 };
	struct smtp_conf conf;

	(void)state;
	relay_start(&relay);
	conf = conf_of(&relay);
	assert_int_equal(smtp_probe(&conf, NULL, NULL), 0);
	pthread_join(relay.thread, NULL);
	assert_null(strstr(relay.heard.ptr, "MAIL"));
	close(relay.fd);
	mx_str_done(&relay.heard);
	assert_int_equal(smtp_probe(&conf, NULL, NULL), -MX_REMOTE_FAILED);
}

/* "name+ connection+ recipient-" */
static char *course_of(const struct smtp_trace *trace)
{
	struct mx_str course = { 0 };

	for (unsigned i = 0; i < trace->len; i++)
		mx_str_addf(&course, "%s%s%c", i ? " " : "", trace->steps[i].name,
			    trace->steps[i].ok ? '+' : '-');
	return mx_str_steal(&course);
}

static void trace_is(const char *answer_to_rcpt, const char *end, const char *expected)
{
	struct relay relay = { .rcpt = answer_to_rcpt, .end = end };
	struct smtp_message message = letter;
	struct smtp_trace trace;
	mx_autofree char *course = NULL;

	message.trace = &trace;
	relay_start(&relay);
	deliver(&relay, &message, NULL);
	relay_end(&relay);
	course = course_of(&trace);
	assert_string_equal(course, expected);
}

static void a_trace_tells_how_far_it_came(void **state)
{
	(void)state;
	trace_is(NULL, NULL, "name+ connection+ greeting+ EHLO+ sender+ recipient+ message+");
	trace_is("550 5.1.1 who is bob@example.org?", NULL,
		 "name+ connection+ greeting+ EHLO+ sender+ recipient-");
	trace_is(NULL, "451 later",
		 "name+ connection+ greeting+ EHLO+ sender+ recipient+ message-");
}

static void a_trace_shows_no_addresses_and_no_password(void **state)
{
	struct relay relay = { .auth = "334 ", .rcpt = "550 5.1.1 who is bob@example.org?" };
	struct smtp_message message = letter;
	struct smtp_trace trace;
	struct smtp_conf conf;
	mx_autofree char *text = NULL;
	json_t *json;

	(void)state;
	message.trace = &trace;
	relay_start(&relay);
	conf = conf_of(&relay);
	conf.user = "id";
	conf.password = "secret";
	assert_int_equal(smtp_send(&conf, &message, NULL), OUTBOX_REFUSED);
	relay_end(&relay);
	json = smtp_trace_json(&trace);
	text = json_dumps(json, 0);
	json_decref(json);
	assert_non_null(strstr(text, "235 welcome"));
	assert_non_null(strstr(text, "550 5.1.1 who is ..."));
	assert_null(strchr(text, '@'));
	assert_null(strstr(text, "c2VjcmV0")); /* "secret" in base64 */
	assert_null(strstr(text, "AGlk"));
}

static void a_trace_ends_where_nobody_answers(void **state)
{
	struct smtp_message message = letter;
	struct smtp_trace trace;
	struct smtp_conf conf = { .host = "127.0.0.1", .port = 1, .tls = SMTP_PLAIN };
	mx_autofree char *course = NULL, *other = NULL;

	(void)state;
	message.trace = &trace;
	assert_int_equal(smtp_send(&conf, &message, NULL), OUTBOX_AGAIN);
	course = course_of(&trace);
	assert_string_equal(course, "name+ connection-");
	conf.host = "nobody.invalid";
	assert_int_equal(smtp_send(&conf, &message, NULL), OUTBOX_AGAIN);
	other = course_of(&trace);
	assert_string_equal(other, "name-");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_is_handed_over),
		cmocka_unit_test(the_answer_decides),
		cmocka_unit_test(a_wrong_password_is_not_the_message_s_fault),
		cmocka_unit_test(nothing_is_sent_where_tls_is_wanted_and_not_had),
		cmocka_unit_test(nobody_there_is_a_reason_to_try_again),
		cmocka_unit_test(the_sender_is_asked_just_before_the_end),
		cmocka_unit_test(other_letters_need_a_relay_that_takes_them),
		cmocka_unit_test(a_hanging_relay_has_a_deadline),
		cmocka_unit_test(who_is_in_a_hurry_waits_for_no_relay),
		cmocka_unit_test(a_probe_sends_nothing),
		cmocka_unit_test(a_trace_tells_how_far_it_came),
		cmocka_unit_test(a_trace_shows_no_addresses_and_no_password),
		cmocka_unit_test(a_trace_ends_where_nobody_answers),
	};

	return cmocka_run_group_tests_name("mail/smtp", tests, NULL, NULL);
}
