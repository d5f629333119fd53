/* Infobip, "Send SMS": POST /sms/3/messages on the account's own host, JSON, "App" key. */
#include "identity/sms/sms_conf.h"
#include "identity/sms/sms_transport.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/json/json.h"

/* Groups of its statuses. */
enum {
	GROUP_PENDING = 1,
	GROUP_UNDELIVERABLE = 2,
	GROUP_DELIVERED = 3,
	GROUP_EXPIRED = 4,
	GROUP_REJECTED = 5
};

static int check(const struct sms_conf *conf, struct mx_error *err)
{
	if (!conf->url || !conf->secret_file)
		return mx_fail(err, MX_BAD_CONFIG,
			       "sms: infobip needs `url`, the base of your account, and "
			       "`secret_file`");
	return 0;
}

static struct mx_slice body_of(const struct sms_message *message, struct mx_arena *mem)
{
	json_t *json = json_pack("{s:[{s:s,s:[{s:s}],s:{s:s}}]}", "messages", "sender",
				 message->from + (*message->from == '+'), "destinations", "to",
				 message->to, "content", "text", message->text);
	mx_autofree char *text = mx_json_text(json);

	json_decref(json);
	return mx_arena_slice(mem, mx_slice(text));
}

static int build(const struct sms_settings *settings, const struct sms_message *message,
		 struct mx_arena *mem, struct net_request *ret_request, struct mx_error *err)
{
	const char **headers = mx_arena_calloc(mem, 5, sizeof(*headers));
	struct mx_slice base = sms_base_url(settings->conf, "");

	(void)err;
	headers[0] = mx_arena_strf(mem, "Authorization: App %s", settings->secret);
	headers[1] = "Content-Type: application/json";
	headers[2] = "Accept: application/json";
	headers[3] = "Connection: close";
	ret_request->url = mx_arena_strf(mem, "%.*s/sms/3/messages", MX_SLICE_ARG(base));
	ret_request->headers = headers;
	ret_request->body = body_of(message, mem);
	return 0;
}

static enum outbox_result read_answer(const struct sms_settings *settings, const json_t *answer,
				      struct mx_error *err)
{
	const json_t *status = jobj(json_array_get(jarr(answer, "messages"), 0), "status");
	const char *name = jstr_or(status, "name", "");

	(void)settings;
	switch (jint(status, "groupId", -1)) {
	case GROUP_PENDING:
	case GROUP_DELIVERED: return OUTBOX_SENT;
	case GROUP_UNDELIVERABLE:
	case GROUP_EXPIRED:
	case GROUP_REJECTED:
		mx_fail(err, MX_REMOTE_FAILED, "infobip: %s",
			sms_code_is_plain(name) ? name : "refused");
		return OUTBOX_REFUSED;
	default:
		mx_fail(err, MX_REMOTE_FAILED, "infobip: the answer has no status that is known");
		return OUTBOX_UNSURE;
	}
}

/* Newer answers have "errorCode", older ones "requestError". */
static const char *code(const json_t *answer, struct mx_arena *mem)
{
	const char *text = jstr(answer, "errorCode");

	if (!text)
		text = jstr(jobj(jobj(answer, "requestError"), "serviceException"), "messageId");
	return text && sms_code_is_plain(text) ? mx_arena_strdup(mem, text) : NULL;
}

const struct sms_transport sms_infobip = {
	.name = "infobip",
	.needs_from = true,
	.check = check,
	.build = build,
	.read = read_answer,
	.code = code,
};
