/* The `sms` section of the configuration. */
#pragma once

#include <cyaml/cyaml.h>
#include <stdbool.h>

struct mx_arena;
struct mx_error;

enum sms_default { SMS_DENY, SMS_ALLOW };
enum sms_body { SMS_BODY_JSON, SMS_BODY_FORM, SMS_BODY_TEXT };

/* Where a rule holds: "DE", the beginning of numbers as "+49" or "+1876", or "default". */
struct sms_originator_conf {
	const char *country;
	const char **from; /* numbers or names that the gateway lets us send as */
	unsigned from_count;
};

struct sms_price_conf {
	const char *country;
	const char *price; /* of one message: "0.075" */
};

struct sms_conf {
	const char *gateway; /* a name of sms_transports; NULL: no text message is sent */
	const char *url; /* of the webhook; for the others instead of the usual one */
	const char *account; /* Twilio's account SID, Vonage's API key */
	const char
		*user; /* the SID of an API key of Twilio's, instead of the account's own token */
	const char *service; /* a messaging service of Twilio's, instead of originators */
	const char *secret_file; /* holds the token, secret or key of the gateway */
	struct {
		const char *method; /* NULL = POST */
		const char **headers;
		unsigned headers_count;
		const char *body;
		int body_type; /* enum sms_body */
		unsigned success_from, success_to; /* statuses */
		const char *success_path, *success_value; /* in the JSON of the answer */
	} webhook;
	const char **command; /* the program's path and its arguments */
	unsigned command_count;
	unsigned timeout_ms, parallel, pause_ms, give_up_minutes;
	struct {
		int otherwise; /* enum sms_default */
		const char **allow, **deny;
		unsigned allow_count, deny_count;
		bool premium; /* numbers that cost more than a call */
	} countries;
	struct sms_originator_conf *originators;
	unsigned originators_count;
	struct sms_price_conf *prices;
	unsigned prices_count;
	struct {
		const char *per_day, *per_month; /* NULL = no cap */
		unsigned alarm_percent;
	} spend;
};

extern const cyaml_schema_field_t sms_conf_fields[];

/* Fills defaults; -MX_BAD_CONFIG for what cannot work. Reads no file. */
int sms_conf_check(struct sms_conf *conf, struct mx_error *err);

/* All of it in mem. */
struct sms_conf *sms_conf_copy(const struct sms_conf *conf, struct mx_arena *mem);
