/* Twilio, "Messages resource": POST /2010-04-01/Accounts/{sid}/Messages.json, a form, with HTTP
 * Basic authentication. */
#include "identity/sms/sms_conf.h"
#include "identity/sms/sms_transport.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/base64.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/url.h"
#include "shared/json/json.h"

#define USUAL_URL "https://api.twilio.com"

static int check(const struct sms_conf *conf, struct mx_error *err)
{
	if (!conf->account || !conf->secret_file)
		return mx_fail(err, MX_BAD_CONFIG, "sms: twilio needs `account` and `secret_file`");
	return 0;
}

static const char *authorization(const struct sms_settings *settings, struct mx_arena *mem)
{
	const struct sms_conf *conf = settings->conf;
	mx_autofree char *pair = mx_strf("%s:%s", conf->user ? conf->user : conf->account,
					 settings->secret);
	mx_str_auto line = { 0 };

	mx_str_add_text(&line, "Authorization: Basic ");
	mx_base64_add(&line, pair, strlen(pair));
	/* Ours is unpadded; RFC 7617 wants RFC 4648's form. */
	for (size_t len = strlen(pair); len % 3 != 0; len++)
		mx_str_add_char(&line, '=');
	explicit_bzero(pair, strlen(pair));
	return mx_arena_strdup(mem, line.ptr);
}

static struct mx_slice form(const struct sms_settings *settings, const struct sms_message *message,
			    struct mx_arena *mem)
{
	mx_autofree char *to = mx_strf("+%s", message->to);
	mx_str_auto body = { 0 };

	sms_form_add(&body, "To", to);
	if (settings->conf->service)
		sms_form_add(&body, "MessagingServiceSid", settings->conf->service);
	if (*message->from)
		sms_form_add(&body, "From", message->from);
	sms_form_add(&body, "Body", message->text);
	return mx_arena_slice(mem, mx_str_slice(&body));
}

static int build(const struct sms_settings *settings, const struct sms_message *message,
		 struct mx_arena *mem, struct net_request *ret_request, struct mx_error *err)
{
	const char **headers = mx_arena_calloc(mem, 4, sizeof(*headers));
	struct mx_slice base = sms_base_url(settings->conf, USUAL_URL);
	mx_str_auto account = { 0 };

	(void)err;
	mx_url_add(&account, mx_slice(settings->conf->account));
	headers[0] = authorization(settings, mem);
	headers[1] = "Content-Type: application/x-www-form-urlencoded";
	headers[2] = "Connection: close";
	ret_request->url = mx_arena_strf(mem, "%.*s/2010-04-01/Accounts/%s/Messages.json",
					 MX_SLICE_ARG(base), account.ptr);
	ret_request->headers = headers;
	ret_request->body = form(settings, message, mem);
	return 0;
}

static enum outbox_result read_answer(const struct sms_settings *settings, const json_t *answer,
				      struct mx_error *err)
{
	const char *status = jstr_or(answer, "status", "");

	(void)settings;
	if (!jstr(answer, "sid")) {
		mx_fail(err, MX_REMOTE_FAILED, "twilio: the answer names no message");
		return OUTBOX_UNSURE;
	}
	if (!streq(status, "failed") && !streq(status, "undelivered") && !streq(status, "canceled"))
		return OUTBOX_SENT;
	mx_fail(err, MX_REMOTE_FAILED, "twilio: the message is \"%s\", code %lld", status,
		(long long)jint(answer, "error_code", 0));
	return OUTBOX_REFUSED;
}

static const char *code(const json_t *answer, struct mx_arena *mem)
{
	int64_t number = jint(answer, "code", 0);

	return number ? mx_arena_strf(mem, "%lld", (long long)number) : NULL;
}

const struct sms_transport sms_twilio = {
	.name = "twilio",
	.needs_from = true,
	.check = check,
	.build = build,
	.read = read_answer,
	.code = code,
};
