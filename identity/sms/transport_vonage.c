/* Vonage, "SMS API": POST /sms/json, a form. The status is 200 whatever happened; each part of
 * the message has its own verdict in the answer. */
#include "identity/sms/sms_conf.h"
#include "identity/sms/sms_transport.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/json/json.h"

#define USUAL_URL "https://rest.nexmo.com"

/* Its statuses; all others are refusals. */
#define STATUS_TAKEN     "0"
#define STATUS_THROTTLED "1"
#define STATUS_INTERNAL  "5"
#define STATUS_TOO_MANY  "10"

static int check(const struct sms_conf *conf, struct mx_error *err)
{
	if (!conf->account || !conf->secret_file)
		return mx_fail(err, MX_BAD_CONFIG, "sms: vonage needs `account` and `secret_file`");
	return 0;
}

/* Without it, letters outside of GSM 03.38 arrive as question marks. */
static bool needs_unicode(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text >= 0x80)
			return true;
	return false;
}

static int build(const struct sms_settings *settings, const struct sms_message *message,
		 struct mx_arena *mem, struct net_request *ret_request, struct mx_error *err)
{
	static const char *const headers[] = {
		"Content-Type: application/x-www-form-urlencoded",
		"Connection: close",
		NULL,
	};
	struct mx_slice base = sms_base_url(settings->conf, USUAL_URL);
	mx_str_auto form = { 0 };

	(void)err;
	sms_form_add(&form, "api_key", settings->conf->account);
	sms_form_add(&form, "api_secret", settings->secret);
	sms_form_add(&form, "from", message->from + (*message->from == '+'));
	sms_form_add(&form, "to", message->to);
	sms_form_add(&form, "text", message->text);
	if (needs_unicode(message->text))
		sms_form_add(&form, "type", "unicode");
	ret_request->url = mx_arena_strf(mem, "%.*s/sms/json", MX_SLICE_ARG(base));
	ret_request->headers = headers;
	ret_request->body = mx_arena_slice(mem, mx_str_slice(&form));
	return 0;
}

static enum outbox_result verdict_of(const char *status, struct mx_error *err)
{
	mx_fail(err, MX_REMOTE_FAILED, "vonage: status %s",
		sms_code_is_plain(status) ? status : "missing");
	if (streq(status, STATUS_THROTTLED) || streq(status, STATUS_TOO_MANY))
		return OUTBOX_AGAIN;
	return streq(status, STATUS_INTERNAL) || !*status ? OUTBOX_UNSURE : OUTBOX_REFUSED;
}

static enum outbox_result read_answer(const struct sms_settings *settings, const json_t *answer,
				      struct mx_error *err)
{
	const json_t *parts = jarr(answer, "messages");
	size_t taken = 0, count = json_array_size(parts);
	const char *other = "";

	(void)settings;
	for (size_t i = 0; i < count; i++) {
		const char *status = jstr_or(json_array_get(parts, i), "status", "");

		if (streq(status, STATUS_TAKEN))
			taken++;
		else
			other = status;
	}
	if (count > 0 && taken == count)
		return OUTBOX_SENT;
	if (taken == 0)
		return verdict_of(other, err);
	mx_fail(err, MX_REMOTE_FAILED, "vonage: took %zu of %zu parts", taken, count);
	return OUTBOX_UNSURE;
}

const struct sms_transport sms_vonage = {
	.name = "vonage",
	.needs_from = true,
	.check = check,
	.build = build,
	.read = read_answer,
};
