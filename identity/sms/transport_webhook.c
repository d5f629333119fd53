/* Any gateway that takes an HTTP request: its URL, headers and body are templates. */
#include "identity/sms/sms_conf.h"
#include "identity/sms/sms_settings.h"
#include "identity/sms/sms_transport.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/url.h"
#include "shared/json/json.h"
#include "shared/json/path.h"
#include "shared/mail/template.h"
#include "shared/mail/template_text.h"

static bool is_method(const char *method)
{
	return streq(method, "GET") || streq(method, "POST") || streq(method, "PUT");
}

static int check(const struct sms_conf *conf, struct mx_error *err)
{
	const __typeof__(conf->webhook) *webhook = &conf->webhook;

	if (!conf->url)
		return mx_fail(err, MX_BAD_CONFIG, "sms: a webhook needs `url`");
	if (webhook->method && !is_method(webhook->method))
		return mx_fail(err, MX_BAD_CONFIG, "sms.webhook.method: %s is not GET, POST or PUT",
			       webhook->method);
	if (webhook->headers_count > SMS_HEADERS_MAX - 2)
		return mx_fail(err, MX_BAD_CONFIG, "sms.webhook.headers: too many");
	if (webhook->success_from < 200 || webhook->success_to > 399 ||
	    webhook->success_from > webhook->success_to)
		return mx_fail(err, MX_BAD_CONFIG,
			       "sms.webhook: success_from and success_to are statuses of 200 to "
			       "399");
	if (webhook->success_value && !webhook->success_path)
		return mx_fail(err, MX_BAD_CONFIG, "sms.webhook.success_path is missing");
	return sms_settings_check_templates(conf, err);
}

/* ---- values, made safe for where they are put before the template sees them */

enum place { PLACE_URL, PLACE_HEADER, PLACE_JSON, PLACE_PLAIN };

static void json_escape(struct mx_str *out, const char *text)
{
	json_t *json = json_string(text);
	mx_autofree char *quoted = mx_json_text(json);

	mx_str_add(out, quoted + 1, strlen(quoted) - 2);
	json_decref(json);
}

static const char *escape(const char *text, enum place place, struct mx_arena *mem)
{
	mx_str_auto out = { 0 };

	switch (place) {
	case PLACE_URL: mx_url_add(&out, mx_slice(text)); break;
	case PLACE_JSON: json_escape(&out, text); break;
	case PLACE_HEADER:
	case PLACE_PLAIN: mx_str_add_text(&out, text); break;
	}
	return mx_arena_strndup(mem, mx_str_slice(&out).ptr, out.len);
}

struct filling {
	const struct sms_settings *settings;
	const struct sms_message *message;
	struct mx_arena *mem;
	struct mx_error *err;
};

static int fill(const struct filling *filling, const struct template_text *template,
		enum place place, struct mx_slice *ret_text)
{
	const struct sms_message *message = filling->message;
	const struct template_value items[] = {
		{ "to", escape(message->to, place, filling->mem) },
		{ "from", escape(message->from, place, filling->mem) },
		{ "text",
		  escape(message->text, place == PLACE_HEADER ? PLACE_URL : place, filling->mem) },
		{ "secret", escape(filling->settings->secret, place, filling->mem) },
	};
	const struct template_values values = { items, sizeof(items) / sizeof(items[0]) };
	mx_str_auto out = { 0 };
	int rc = template_text_fill(template, &values, &out, filling->err);

	if (rc)
		return rc;
	*ret_text = mx_arena_slice(filling->mem, mx_str_slice(&out));
	return 0;
}

static enum place place_of_body(const struct sms_conf *conf)
{
	switch ((enum sms_body)conf->webhook.body_type) {
	case SMS_BODY_JSON: return PLACE_JSON;
	case SMS_BODY_FORM: return PLACE_URL;
	case SMS_BODY_TEXT: break;
	}
	return PLACE_PLAIN;
}

static const char *type_of_body(const struct sms_conf *conf)
{
	switch ((enum sms_body)conf->webhook.body_type) {
	case SMS_BODY_JSON: return "Content-Type: application/json";
	case SMS_BODY_FORM: return "Content-Type: application/x-www-form-urlencoded";
	case SMS_BODY_TEXT: break;
	}
	return "Content-Type: text/plain; charset=utf-8";
}

static bool has_type(const struct sms_conf *conf)
{
	for (unsigned i = 0; i < conf->webhook.headers_count; i++)
		if (strncasecmp(conf->webhook.headers[i], "content-type:", 13) == 0)
			return true;
	return false;
}

static int fill_headers(const struct filling *filling, const char *const **ret_headers)
{
	const struct sms_conf *conf = filling->settings->conf;
	const char **headers = mx_arena_calloc(filling->mem, conf->webhook.headers_count + 3,
					       sizeof(*headers));
	size_t len = 0;

	for (unsigned i = 0; i < conf->webhook.headers_count; i++) {
		struct mx_slice line;
		int rc = fill(filling, filling->settings->headers[i], PLACE_HEADER, &line);

		if (rc)
			return rc;
		headers[len++] = line.ptr;
	}
	if (filling->settings->body && !has_type(conf))
		headers[len++] = type_of_body(conf);
	headers[len] = "Connection: close";
	*ret_headers = headers;
	return 0;
}

static int build(const struct sms_settings *settings, const struct sms_message *message,
		 struct mx_arena *mem, struct net_request *ret_request, struct mx_error *err)
{
	const struct sms_conf *conf = settings->conf;
	const struct filling filling = { settings, message, mem, err };
	struct mx_slice url;
	int rc = fill(&filling, settings->url, PLACE_URL, &url);

	if (rc == 0)
		rc = fill_headers(&filling, &ret_request->headers);
	if (rc == 0 && settings->body)
		rc = fill(&filling, settings->body, place_of_body(conf), &ret_request->body);
	if (rc)
		return rc;
	ret_request->url = url.ptr;
	ret_request->method = conf->webhook.method ? conf->webhook.method : "POST";
	return 0;
}

/* ---- the success rule */

static bool is_answer(const struct sms_settings *settings, int status)
{
	return status >= (int)settings->conf->webhook.success_from &&
	       status <= (int)settings->conf->webhook.success_to;
}

/* Strings as they are, everything else as JSON writes it: 0, true, null. */
static char *value_text(const json_t *value)
{
	return json_is_string(value) ? mx_strdup(json_string_value(value)) : mx_json_text(value);
}

static enum outbox_result read_answer(const struct sms_settings *settings, const json_t *answer,
				      struct mx_error *err)
{
	const __typeof__(settings->conf->webhook) *webhook = &settings->conf->webhook;
	const json_t *value;
	mx_autofree char *text = NULL;

	if (!webhook->success_path)
		return OUTBOX_SENT;
	value = answer ? mx_json_path(answer, webhook->success_path) : NULL;
	if (!value) {
		mx_fail(err, MX_REMOTE_FAILED, "webhook: the answer has no %s",
			webhook->success_path);
		return OUTBOX_UNSURE;
	}
	text = value_text(value);
	if (!webhook->success_value || streq(text, webhook->success_value))
		return OUTBOX_SENT;
	mx_fail(err, MX_REMOTE_FAILED, "webhook: %s is not %s", webhook->success_path,
		webhook->success_value);
	return OUTBOX_REFUSED;
}

const struct sms_transport sms_webhook = {
	.name = "webhook",
	.check = check,
	.build = build,
	.is_answer = is_answer,
	.read = read_answer,
};
