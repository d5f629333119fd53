/* wrap: net_start net_fetch */
#include "identity/sms/sms_transport.h"

#include "identity/sms/sms_conf.h"
#include "identity/sms/sms_settings.h"
#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "tests/support/net_mock.h"
#include "tests/support/store_fixture.h"

#include <stdlib.h>
#include <unistd.h>

#define TO     "447700900001"
#define SECRET "s3cret"

static const struct sms_message message = { .to = TO,
					    .from = "Example",
					    .text = "Code \"1\" & \xC3\xBC\n" };

/* What the gateway got last, and what it answers. */
static struct {
	struct net_mock_answer answer;
	char method[8], url[1024], body[1024], headers[1024];
} gateway;

static struct net_mock_answer receive(void *ctx, const struct net_mock_request *request)
{
	size_t len = 0;

	(void)ctx;
	snprintf(gateway.method, sizeof(gateway.method), "%s", request->method);
	snprintf(gateway.url, sizeof(gateway.url), "%s", request->url);
	*gateway.body = '\0';
	if (request->body.ptr)
		snprintf(gateway.body, sizeof(gateway.body), "%.*s", MX_SLICE_ARG(request->body));
	*gateway.headers = '\0';
	for (const char *const *h = request->headers; h && *h; h++)
		len += (size_t)snprintf(gateway.headers + len, sizeof(gateway.headers) - len,
					"%s\n", *h);
	return gateway.answer;
}

static char *secret_file(void)
{
	static char path[] = "/tmp/sms-secret-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, SECRET "\n", strlen(SECRET) + 1), (ssize_t)strlen(SECRET) + 1);
	close(fd);
	return path;
}

static struct sms_settings *settings_of(struct sms_conf conf)
{
	struct sms_settings *settings;
	char *path = secret_file();

	conf.countries.otherwise = SMS_ALLOW;
	conf.secret_file = path;
	assert_int_equal(sms_conf_check(&conf, NULL), 0);
	assert_int_equal(sms_settings_new(&conf, &settings, NULL), 0);
	unlink(path);
	memcpy(path + strlen(path) - 6, "XXXXXX", 6);
	return settings;
}

static enum outbox_result send_by(struct sms_conf conf, struct mx_error *err)
{
	struct sms_settings *settings = settings_of(conf);
	enum outbox_result result;

	net_mock_handle(receive, NULL);
	result = sms_transport_send(NULL, settings, &message, err);
	sms_settings_unref(settings);
	return result;
}

static const char *example[] = { "Example" };
static struct sms_originator_conf originators[] = { { "default", example, 1 } };

#define FROM .originators = originators, .originators_count = 1

static const struct sms_conf twilio = { .gateway = "twilio", .account = "AC1", FROM };
static const struct sms_conf vonage = { .gateway = "vonage", .account = "key", FROM };
static const struct sms_conf infobip = { .gateway = "infobip",
					 .url = "https://x.api.infobip.com/",
					 FROM };
static const struct sms_conf webhook = { .gateway = "webhook", .url = "https://sms.example/" };

struct mood {
	const char *what;
	struct net_mock_answer answer;
	enum outbox_result result;
};

static void goes_through(const struct sms_conf *conf, const struct mood *moods, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		struct mx_error err = { 0 };
		enum outbox_result result;

		gateway.answer = moods[i].answer;
		result = send_by(*conf, &err);
		if (result != moods[i].result)
			fail_msg("%s: %s gives %d, not %d (%s)", conf->gateway, moods[i].what,
				 result, moods[i].result, err.text);
		assert_int_equal(result == OUTBOX_SENT, *err.text == '\0');
		assert_null(strstr(err.text, TO));
		assert_null(strstr(err.text, SECRET));
	}
}

#define GO_THROUGH(conf, moods) goes_through(conf, moods, sizeof(moods) / sizeof((moods)[0]))
#define ANSWER(number, text)                               \
	{                                                  \
		.status = (number), .body = MX_SLICE(text) \
	}

static void every_mood_of_a_connection_has_its_result(void **state)
{
	static const struct sms_conf *const all[] = { &twilio, &vonage, &infobip, &webhook };
	static const struct mood moods[] = {
		{ "nobody listens", { .rc = -MX_REMOTE_FAILED }, OUTBOX_AGAIN },
		{ "no name", { .rc = -MX_REMOTE_TIMEOUT }, OUTBOX_AGAIN },
		{ "a filtered address", { .rc = -MX_ADDRESS_REFUSED }, OUTBOX_AGAIN },
		{ "a stop before it", { .rc = -MX_BUSY }, OUTBOX_AGAIN },
		{ "it hangs", { .rc = -MX_REMOTE_TIMEOUT, .sent = true }, OUTBOX_UNSURE },
		{ "it hangs up", { .rc = -MX_REMOTE_FAILED, .sent = true }, OUTBOX_UNSURE },
		{ "a stop meanwhile", { .rc = -MX_BUSY, .sent = true }, OUTBOX_UNSURE },
		{ "a huge reply", { .rc = -MX_TOO_LARGE, .sent = true }, OUTBOX_UNSURE },
		{ "a redirect", { .status = 302 }, OUTBOX_REFUSED },
		{ "a bad request", { .status = 400 }, OUTBOX_REFUSED },
		{ "a wrong secret", { .status = 401 }, OUTBOX_REFUSED },
		{ "not found", { .status = 404 }, OUTBOX_REFUSED },
		{ "half a request", { .status = 408 }, OUTBOX_AGAIN },
		{ "too many", { .status = 429 }, OUTBOX_AGAIN },
		{ "it broke", { .status = 500 }, OUTBOX_UNSURE },
		{ "its back-end broke", { .status = 502 }, OUTBOX_UNSURE },
		{ "not now", { .status = 503 }, OUTBOX_AGAIN },
		{ "its back-end hangs", { .status = 504 }, OUTBOX_UNSURE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		GO_THROUGH(all[i], moods);
}

static void a_gateway_says_how_long_to_wait(void **state)
{
	struct mx_error err = { 0 };

	(void)state;
	gateway.answer = (struct net_mock_answer){ .status = 503, .retry_after_ms = 90000 };
	assert_int_equal(send_by(vonage, &err), OUTBOX_AGAIN);
	assert_int_equal(err.retry_after_ms, 90000);
}

static void a_stop_does_not_wait_for_a_gateway(void **state)
{
	const _Atomic bool hurry = true;
	struct sms_message hurried = message;
	struct sms_settings *settings = settings_of(twilio);
	struct mx_error err = { 0 };

	(void)state;
	hurried.hurry = &hurry;
	net_mock_reset();
	assert_int_equal(sms_transport_send(NULL, settings, &hurried, &err), OUTBOX_UNSURE);
	assert_non_null(strstr(err.text, "stopped"));
	assert_int_equal(net_mock_waiting(), 1);
	sms_settings_unref(settings);
	/* The network ends all that it has, later. */
	net_mock_stop();
}

static void twilio_is_asked_as_it_wants_to_be(void **state)
{
	struct sms_conf conf = twilio;

	(void)state;
	gateway.answer = (struct net_mock_answer)ANSWER(201,
							"{\"sid\":\"SM1\",\"status\":\"queued\"}");
	assert_int_equal(send_by(conf, NULL), OUTBOX_SENT);
	assert_string_equal(gateway.url,
			    "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages.json");
	assert_string_equal(gateway.body, "To=%2B" TO "&From=Example&Body="
					  "Code%20%221%22%20%26%20%C3%BC%0A");
	assert_string_equal(gateway.method, "POST");
	/* AC1:s3cret */
	assert_non_null(strstr(gateway.headers, "Authorization: Basic QUMxOnMzY3JldA==\n"));
	assert_non_null(strstr(gateway.headers, "Content-Type: application/x-www-form-urlencoded"));
	conf.user = "SK2";
	conf.service = "MG3";
	conf.url = "https://twilio.example/";
	assert_int_equal(send_by(conf, NULL), OUTBOX_SENT);
	assert_string_equal(gateway.url,
			    "https://twilio.example/2010-04-01/Accounts/AC1/Messages.json");
	/* SK2:s3cret */
	assert_non_null(strstr(gateway.headers, "Authorization: Basic U0syOnMzY3JldA==\n"));
	assert_non_null(strstr(gateway.body, "&MessagingServiceSid=MG3&"));
}

static void twilios_answers_are_understood(void **state)
{
	static const struct mood moods[] = {
		{ "taken", ANSWER(201, "{\"sid\":\"SM1\",\"status\":\"accepted\"}"), OUTBOX_SENT },
		{ "failed",
		  ANSWER(201, "{\"sid\":\"SM1\",\"status\":\"failed\",\"error_code\":30006}"),
		  OUTBOX_REFUSED },
		{ "garbage", ANSWER(200, "<html>"), OUTBOX_UNSURE },
		{ "another object", ANSWER(200, "{}"), OUTBOX_UNSURE },
		{ "a list", ANSWER(200, "[1]"), OUTBOX_UNSURE },
		{ "nothing", ANSWER(201, ""), OUTBOX_UNSURE },
	};
	struct mx_error err = { 0 };

	(void)state;
	GO_THROUGH(&twilio, moods);
	gateway.answer = (struct net_mock_answer)ANSWER(
		400, "{\"code\":21211,\"message\":\"The 'To' number " TO " is not valid\"}");
	assert_int_equal(send_by(twilio, &err), OUTBOX_REFUSED);
	assert_string_equal(err.text, "twilio: HTTP status 400, code 21211");
}

static void vonage_is_asked_as_it_wants_to_be(void **state)
{
	(void)state;
	gateway.answer = (struct net_mock_answer)ANSWER(
		200, "{\"message-count\":\"1\",\"messages\":[{\"status\":\"0\"}]}");
	assert_int_equal(send_by(vonage, NULL), OUTBOX_SENT);
	assert_string_equal(gateway.url, "https://rest.nexmo.com/sms/json");
	assert_string_equal(gateway.body, "api_key=key&api_secret=" SECRET "&from=Example&to=" TO
					  "&text=Code%20%221%22%20%26%20%C3%BC%0A&type=unicode");
}

static void vonages_answers_are_understood(void **state)
{
#define PART(status) "{\"status\":\"" status "\"}"
#define PARTS(parts) ANSWER(200, "{\"messages\":[" parts "]}")
	static const struct mood moods[] = {
		{ "two parts", PARTS(PART("0") "," PART("0")), OUTBOX_SENT },
		{ "throttled", PARTS(PART("1")), OUTBOX_AGAIN },
		{ "too many binds", PARTS(PART("10")), OUTBOX_AGAIN },
		{ "bad credentials", PARTS(PART("4")), OUTBOX_REFUSED },
		{ "internal", PARTS(PART("5")), OUTBOX_UNSURE },
		{ "no money", PARTS(PART("9")), OUTBOX_REFUSED },
		{ "half of it", PARTS(PART("0") "," PART("1")), OUTBOX_UNSURE },
		{ "no parts", PARTS(""), OUTBOX_UNSURE },
		{ "odd parts", PARTS("7"), OUTBOX_UNSURE },
		{ "garbage", ANSWER(200, "OK"), OUTBOX_UNSURE },
	};

	(void)state;
	GO_THROUGH(&vonage, moods);
}

static void infobip_is_asked_as_it_wants_to_be(void **state)
{
	(void)state;
	gateway.answer = (struct net_mock_answer)ANSWER(
		200, "{\"messages\":[{\"messageId\":\"1\",\"status\":{\"groupId\":1}}]}");
	assert_int_equal(send_by(infobip, NULL), OUTBOX_SENT);
	assert_string_equal(gateway.url, "https://x.api.infobip.com/sms/3/messages");
	assert_string_equal(gateway.body,
			    "{\"messages\":[{\"sender\":\"Example\",\"destinations\":[{\"to\":\"" TO
			    "\"}],\"content\":{\"text\":\"Code \\\"1\\\" & \xC3\xBC\\n\"}}]}");
	assert_non_null(strstr(gateway.headers, "Authorization: App " SECRET "\n"));
}

static void infobips_answers_are_understood(void **state)
{
#define STATUS(members) ANSWER(200, "{\"messages\":[{\"status\":{" members "}}]}")
	static const struct mood moods[] = {
		{ "pending", STATUS("\"groupId\":1"), OUTBOX_SENT },
		{ "delivered", STATUS("\"groupId\":3"), OUTBOX_SENT },
		{ "undeliverable", STATUS("\"groupId\":2"), OUTBOX_REFUSED },
		{ "rejected", STATUS("\"groupId\":5,\"name\":\"REJECTED_NETWORK\""),
		  OUTBOX_REFUSED },
		{ "another", STATUS("\"groupId\":77"), OUTBOX_UNSURE },
		{ "none", ANSWER(200, "{\"messages\":[]}"), OUTBOX_UNSURE },
		{ "garbage", ANSWER(200, "\xFF\xFE"), OUTBOX_UNSURE },
	};
	struct mx_error err = { 0 };

	(void)state;
	GO_THROUGH(&infobip, moods);
	gateway.answer = (struct net_mock_answer)ANSWER(
		401, "{\"requestError\":{\"serviceException\":{\"messageId\":\"UNAUTHORIZED\"}}}");
	assert_int_equal(send_by(infobip, &err), OUTBOX_REFUSED);
	assert_string_equal(err.text, "infobip: HTTP status 401, code UNAUTHORIZED");
}

static void a_webhook_gets_json_that_stays_json(void **state)
{
	const char *headers[] = { "X-Key: {{ secret }}", "X-Text: {{ text }}" };
	struct sms_conf conf = webhook;

	(void)state;
	conf.url = "https://sms.example/{{ from }}?t={{ text }}";
	conf.webhook.body = "{\"to\":\"+{{ to }}\",\"text\":\"{{ text }}\"}";
	conf.webhook.headers = headers;
	conf.webhook.headers_count = 2;
	gateway.answer = (struct net_mock_answer){ .status = 202 };
	assert_int_equal(send_by(conf, NULL), OUTBOX_SENT);
	assert_string_equal(gateway.url,
			    "https://sms.example/Example?t=Code%20%221%22%20%26%20%C3%BC%0A");
	assert_string_equal(gateway.body,
			    "{\"to\":\"+" TO "\",\"text\":\"Code \\\"1\\\" & \xC3\xBC\\n\"}");
	assert_string_equal(gateway.headers, "X-Key: " SECRET "\n"
					     "X-Text: Code%20%221%22%20%26%20%C3%BC%0A\n"
					     "Content-Type: application/json\n"
					     "Connection: close\n");
}

static void a_webhook_gets_a_form_or_plain_text(void **state)
{
	struct sms_conf conf = webhook;

	(void)state;
	gateway.answer = (struct net_mock_answer){ .status = 200 };
	conf.webhook.body = "n=%2B{{ to }}&m={{ text }}";
	conf.webhook.body_type = SMS_BODY_FORM;
	assert_int_equal(send_by(conf, NULL), OUTBOX_SENT);
	assert_string_equal(gateway.body, "n=%2B" TO "&m=Code%20%221%22%20%26%20%C3%BC%0A");
	conf.webhook.body = "{{ text }}";
	conf.webhook.body_type = SMS_BODY_TEXT;
	assert_int_equal(send_by(conf, NULL), OUTBOX_SENT);
	assert_string_equal(gateway.body, message.text);
	conf.webhook.body = NULL;
	conf.webhook.method = "GET";
	assert_int_equal(send_by(conf, NULL), OUTBOX_SENT);
	assert_string_equal(gateway.method, "GET");
	assert_string_equal(gateway.body, "");
}

static void a_webhook_has_its_own_rule_of_success(void **state)
{
	static const struct mood moods[] = {
		{ "as said", ANSWER(200, "{\"r\":{\"code\":0}}"), OUTBOX_SENT },
		{ "another", ANSWER(200, "{\"r\":{\"code\":3}}"), OUTBOX_REFUSED },
		{ "missing", ANSWER(200, "{\"r\":{}}"), OUTBOX_UNSURE },
		{ "garbage", ANSWER(200, "ok"), OUTBOX_UNSURE },
		{ "another success", ANSWER(204, ""), OUTBOX_REFUSED },
	};
	struct sms_conf conf = webhook;

	(void)state;
	conf.webhook.success_to = 200;
	conf.webhook.success_path = "r.code";
	conf.webhook.success_value = "0";
	GO_THROUGH(&conf, moods);
}

static void a_secret_must_be_there_in_one_line(void **state)
{
	struct sms_conf conf = twilio;
	struct sms_settings *settings;
	char path[] = "/tmp/sms-secret-XXXXXX";
	struct mx_error err = { 0 };
	int fd = mkstemp(path);

	(void)state;
	conf.secret_file = path;
	assert_int_equal(sms_settings_new(&conf, &settings, &err), -MX_BAD_CONFIG);
	assert_non_null(strstr(err.text, "is empty"));
	assert_int_equal(write(fd, "a\nb\n", 4), 4);
	close(fd);
	assert_int_equal(sms_settings_new(&conf, &settings, &err), -MX_BAD_CONFIG);
	assert_non_null(strstr(err.text, "several lines"));
	unlink(path);
	assert_int_equal(sms_settings_new(&conf, &settings, &err), -MX_BAD_CONFIG);
	assert_non_null(strstr(err.text, path));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_mood_of_a_connection_has_its_result),
		cmocka_unit_test(a_gateway_says_how_long_to_wait),
		cmocka_unit_test(a_stop_does_not_wait_for_a_gateway),
		cmocka_unit_test(twilio_is_asked_as_it_wants_to_be),
		cmocka_unit_test(twilios_answers_are_understood),
		cmocka_unit_test(vonage_is_asked_as_it_wants_to_be),
		cmocka_unit_test(vonages_answers_are_understood),
		cmocka_unit_test(infobip_is_asked_as_it_wants_to_be),
		cmocka_unit_test(infobips_answers_are_understood),
		cmocka_unit_test(a_webhook_gets_json_that_stays_json),
		cmocka_unit_test(a_webhook_gets_a_form_or_plain_text),
		cmocka_unit_test(a_webhook_has_its_own_rule_of_success),
		cmocka_unit_test(a_secret_must_be_there_in_one_line),
	};

	return cmocka_run_group_tests_name("sms/sms_transport", tests, NULL, NULL);
}
