#include "identity/sms/sms_conf.h"

#include "shared/core/arena.h"
#include "shared/core/error.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

static const char *allowed[] = { "DE", "+44" };
static const char *senders[] = { "Example", "+4915112345678" };

/* What a gateway of Twilio's needs. */
static struct sms_conf twilio(void)
{
	static struct sms_originator_conf originators[] = { { "default", senders, 2 } };

	return (struct sms_conf){
		.gateway = "twilio",
		.account = "AC0",
		.secret_file = "/etc/trinity/twilio",
		.originators = originators,
		.originators_count = 1,
		.countries = { .allow = allowed, .allow_count = 2 },
	};
}

static struct sms_conf webhook(void)
{
	return (struct sms_conf){
		.gateway = "webhook",
		.url = "https://sms.example/send?to={{ to }}",
		.countries = { .otherwise = SMS_ALLOW },
	};
}

static void refused(struct sms_conf conf, const char *because)
{
	struct mx_error err = { 0 };

	assert_int_equal(sms_conf_check(&conf, &err), -MX_BAD_CONFIG);
	if (!strstr(err.text, because))
		fail_msg("\"%s\" is not about %s", err.text, because);
}

static void nothing_is_needed_for_no_messages(void **state)
{
	struct sms_conf conf = { 0 };

	(void)state;
	assert_int_equal(sms_conf_check(&conf, NULL), 0);
}

static void a_whole_configuration_gets_its_defaults(void **state)
{
	struct sms_conf conf = twilio();

	(void)state;
	assert_int_equal(sms_conf_check(&conf, NULL), 0);
	assert_int_equal(conf.timeout_ms, 10000);
	assert_int_equal(conf.give_up_minutes, 60);
	assert_int_equal(conf.webhook.success_to, 299);
}

static void what_a_gateway_needs_is_asked_for(void **state)
{
	struct sms_conf conf = twilio();

	(void)state;
	conf.gateway = "pigeon";
	refused(conf, "pigeon");
	conf = twilio();
	conf.account = NULL;
	refused(conf, "account");
	conf = twilio();
	conf.originators_count = 0;
	refused(conf, "default");
	conf = twilio();
	conf.gateway = "infobip";
	refused(conf, "url");
	conf.gateway = "vonage";
	conf.secret_file = NULL;
	refused(conf, "secret_file");
	conf = webhook();
	conf.url = NULL;
	refused(conf, "url");
	conf = webhook();
	conf.gateway = "command";
	refused(conf, "command");
}

static void a_program_is_named_by_its_whole_path(void **state)
{
	const char *relative[] = { "send-sms" },
		   *absolute[] = { "/usr/local/bin/send-sms", "{{ to }}" };
	struct sms_conf conf = webhook();

	(void)state;
	conf.gateway = "command";
	conf.command = relative;
	conf.command_count = 1;
	refused(conf, "send-sms");
	conf.command = absolute;
	conf.command_count = 2;
	assert_int_equal(sms_conf_check(&conf, NULL), 0);
}

static void countries_are_chosen_knowingly(void **state)
{
	const char *odd[] = { "Germany" }, *lower[] = { "de" }, *bare[] = { "49" },
		   *all[] = { "default" };
	struct sms_conf conf = twilio();

	(void)state;
	conf.countries.allow_count = 0;
	refused(conf, "sms.countries");
	conf.countries.allow_count = 1;
	conf.countries.allow = odd;
	refused(conf, "Germany");
	conf.countries.allow = lower;
	refused(conf, "de");
	conf.countries.allow = bare;
	refused(conf, "49");
	conf.countries.allow = all;
	refused(conf, "countries.allow");
}

static void a_sender_is_one_short_value(void **state)
{
	static const char *const bad[] = { "A\r\nB", "this sender is far too long", "<b>",
					   "a&b=c;d" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *from[] = { bad[i] };
		struct sms_originator_conf originator = { "default", from, 1 };
		struct sms_conf conf = twilio();

		conf.originators = &originator;
		refused(conf, "sms.originators");
	}
}

static void a_cap_needs_a_price_for_every_number(void **state)
{
	struct sms_price_conf prices[] = { { "DE", "0.07" }, { "default", "0.20" } };
	struct sms_conf conf = twilio();

	(void)state;
	conf.spend.per_day = "50";
	refused(conf, "default");
	conf.prices = prices;
	conf.prices_count = 1;
	refused(conf, "default");
	conf.prices_count = 2;
	assert_int_equal(sms_conf_check(&conf, NULL), 0);
	conf.spend.per_month = "much";
	refused(conf, "much");
}

static void a_webhooks_texts_are_templates(void **state)
{
	const char *headers[] = { "X-To: {{ to" };
	struct sms_conf conf = webhook();

	(void)state;
	assert_int_equal(sms_conf_check(&conf, NULL), 0);
	conf.webhook.body = "{\"to\": \"{{ to }}";
	assert_int_equal(sms_conf_check(&conf, NULL), 0);
	conf.webhook.body = "{% if to %}";
	refused(conf, "webhook.body");
	conf = webhook();
	conf.webhook.headers = headers;
	conf.webhook.headers_count = 1;
	refused(conf, "webhook.headers");
	conf = webhook();
	conf.webhook.method = "DELETE";
	refused(conf, "method");
	conf = webhook();
	conf.webhook.success_from = 300;
	refused(conf, "success_from");
	conf = webhook();
	conf.webhook.success_value = "ok";
	refused(conf, "success_path");
}

static void a_copy_needs_nothing_of_its_original(void **state)
{
	struct mx_arena *mem = mx_arena_new(0);
	struct sms_conf conf = twilio(), *copy;

	(void)state;
	copy = sms_conf_copy(&conf, mem);
	assert_string_equal(copy->gateway, "twilio");
	assert_ptr_not_equal(copy->gateway, conf.gateway);
	assert_string_equal(copy->originators[0].from[1], senders[1]);
	assert_ptr_not_equal(copy->originators[0].from[1], senders[1]);
	assert_string_equal(copy->countries.allow[1], "+44");
	assert_null(copy->url);
	mx_arena_free(mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_needed_for_no_messages),
		cmocka_unit_test(a_whole_configuration_gets_its_defaults),
		cmocka_unit_test(what_a_gateway_needs_is_asked_for),
		cmocka_unit_test(a_program_is_named_by_its_whole_path),
		cmocka_unit_test(countries_are_chosen_knowingly),
		cmocka_unit_test(a_sender_is_one_short_value),
		cmocka_unit_test(a_cap_needs_a_price_for_every_number),
		cmocka_unit_test(a_webhooks_texts_are_templates),
		cmocka_unit_test(a_copy_needs_nothing_of_its_original),
	};

	return cmocka_run_group_tests_name("sms/sms_conf", tests, NULL, NULL);
}
