#include "homeserver/account/account_conf.h"

#include "homeserver/hs_conf.h"
#include "shared/core/alloc.h"
#include "shared/core/error.h"

#include <stddef.h>

#define TEXT_MAX 4096
#define MANY     1000000

#define MAYBE              CYAML_FLAG_OPTIONAL
#define UINT(type, member) CYAML_FIELD_UINT(#member, MAYBE, struct type, member)

static const cyaml_strval_t modes[] = {
	{ "closed", CONF_REGISTRATION_CLOSED },
	{ "token", CONF_REGISTRATION_TOKEN },
	{ "open", CONF_REGISTRATION_OPEN },
};

const cyaml_schema_field_t registration_fields[] = {
	CYAML_FIELD_ENUM("mode", MAYBE | CYAML_FLAG_STRICT, struct registration_conf, mode, modes,
			 sizeof(modes) / sizeof(modes[0])),
	CYAML_FIELD_BOOL_PTR("guests", MAYBE, struct registration_conf, guests),
	UINT(registration_conf, guest_days),
	CYAML_FIELD_STRING_PTR("shared_secret_file", CYAML_FLAG_POINTER | MAYBE,
			       struct registration_conf, shared_secret_file, 1, TEXT_MAX),
	CYAML_FIELD_END,
};

const cyaml_schema_field_t login_fields[] = {
	UINT(login_conf, failures_burst),
	UINT(login_conf, failures_per_minute),
	UINT(login_conf, token_minutes),
	CYAML_FIELD_END,
};

const cyaml_schema_field_t password_fields[] = {
	UINT(password_conf, length_min),
	UINT(password_conf, memory_kib),
	UINT(password_conf, passes),
	UINT(password_conf, at_once),
	CYAML_FIELD_END,
};

const cyaml_schema_field_t sessions_fields[] = {
	UINT(sessions_conf, access_minutes),
	CYAML_FIELD_END,
};

struct number {
	const char *key;
	unsigned *value;
	unsigned other, least, most; /* other: if it is absent */
};

static int check_number(const struct number *number, struct mx_error *err)
{
	if (*number->value == 0)
		*number->value = number->other;
	if (*number->value < number->least || *number->value > number->most)
		return mx_fail(err, MX_BAD_CONFIG, "%s is not between %u and %u", number->key,
			       number->least, number->most);
	return 0;
}

int account_conf_check(struct hs_conf *conf, struct mx_error *err)
{
	/* 19 MiB and two passes: what OWASP's cheat sheet on storing passwords recommends. */
	const struct number numbers[] = {
		{ "limits.logins.per_minute", &conf->limits.logins.per_minute, 30, 1, MANY },
		{ "limits.logins.burst", &conf->limits.logins.burst, 30, 1, MANY },
		{ "limits.registrations.per_minute", &conf->limits.registrations.per_minute, 10, 1,
		  MANY },
		{ "limits.registrations.burst", &conf->limits.registrations.burst, 30, 1, MANY },
		{ "limits.media_uploads.per_minute", &conf->limits.media_uploads.per_minute, 120, 1,
		  MANY },
		{ "limits.media_uploads.burst", &conf->limits.media_uploads.burst, 200, 1, MANY },
		{ "login.failures_burst", &conf->login.failures_burst, 10, 1, MANY },
		{ "login.failures_per_minute", &conf->login.failures_per_minute, 6, 1, MANY },
		{ "login.token_minutes", &conf->login.token_minutes, 2, 1, 60 },
		{ "password.length_min", &conf->password.length_min, 8, 1, 128 },
		{ "password.memory_kib", &conf->password.memory_kib, 19456, 8, 1048576 },
		{ "password.passes", &conf->password.passes, 2, 1, 100 },
		{ "sessions.access_minutes", &conf->sessions.access_minutes, 60, 1, 525600 },
	};
	int rc = 0;

	if (!conf->registration.guests)
		conf->registration.guests = mx_calloc(1, sizeof(bool));
	for (size_t i = 0; rc == 0 && i < sizeof(numbers) / sizeof(numbers[0]); i++)
		rc = check_number(&numbers[i], err);
	if (rc == 0 && conf->password.at_once > 64)
		rc = mx_fail(err, MX_BAD_CONFIG, "password.at_once is not between 0 and 64");
	if (rc == 0 && conf->registration.guest_days > 36500)
		rc = mx_fail(err, MX_BAD_CONFIG, "registration.guest_days is above 36500");
	return rc;
}
