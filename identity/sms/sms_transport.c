#include "identity/sms/sms_transport.h"

#include "identity/sms/sms_conf.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/thread.h"
#include "shared/core/url.h"
#include "shared/json/json.h"

#include <stdatomic.h>

#define ANSWER_BYTES_MAX (64u * 1024)
#define CODE_MAX         64
#define SLICE_US         200000

static const struct sms_transport *const transports[] = {
	&sms_command, &sms_infobip, &sms_twilio, &sms_vonage, &sms_webhook,
};

const struct sms_transport *sms_transport_find(const char *name)
{
	for (size_t i = 0; i < sizeof(transports) / sizeof(transports[0]); i++)
		if (streq(transports[i]->name, name))
			return transports[i];
	return NULL;
}

void sms_form_add(struct mx_str *form, const char *name, const char *value)
{
	if (form->len > 0)
		mx_str_add_char(form, '&');
	mx_str_add_text(form, name);
	mx_str_add_char(form, '=');
	mx_url_add(form, mx_slice(value));
}

struct mx_slice sms_base_url(const struct sms_conf *conf, const char *usual)
{
	struct mx_slice base = mx_slice(conf->url ? conf->url : usual);

	while (base.len > 0 && base.ptr[base.len - 1] == '/')
		base.len--;
	return base;
}

bool sms_code_is_plain(const char *code)
{
	size_t len = strlen(code);

	return len > 0 && len <= CODE_MAX &&
	       strspn(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") ==
		       len;
}

/* ---- what an answer means */

struct verdict {
	const struct sms_settings *settings;
	const struct net_response *response;
	const json_t *answer; /* NULL if it is no JSON */
	struct mx_arena *mem;
	struct mx_error *err;
};

static enum outbox_result give(const struct verdict *verdict, enum outbox_result result)
{
	const struct sms_transport *transport = verdict->settings->transport;
	const char *code = NULL;

	if (verdict->answer && transport->code)
		code = transport->code(verdict->answer, verdict->mem);
	mx_fail(verdict->err, MX_REMOTE_FAILED, "%s: HTTP status %d%s%s", transport->name,
		verdict->response->status, code ? ", code " : "", code ? code : "");
	if (result == OUTBOX_AGAIN && verdict->err)
		verdict->err->retry_after_ms = verdict->response->retry_after_ms;
	return result;
}

static bool is_answer(const struct sms_settings *settings, int status)
{
	if (settings->transport->is_answer)
		return settings->transport->is_answer(settings, status);
	return status >= 200 && status <= 299;
}

static enum outbox_result judge_status(const struct verdict *verdict)
{
	switch (verdict->response->status) {
	case 408: /* RFC 9110, 15.5.9: the request did not arrive */
	case 429: /* RFC 6585, 4 */
	case 503: return give(verdict, OUTBOX_AGAIN);
	default: break;
	}
	/* It broke while it had our message: nobody knows how far it came. */
	if (verdict->response->status >= 500)
		return give(verdict, OUTBOX_UNSURE);
	return give(verdict, OUTBOX_REFUSED);
}

static enum outbox_result judge(const struct verdict *verdict)
{
	const struct sms_settings *settings = verdict->settings;
	const struct net_response *response = verdict->response;

	if (response->rc) {
		mx_fail(verdict->err, MX_REMOTE_FAILED, "%s: %s", settings->transport->name,
			mx_error_text(&response->err, response->rc));
		return response->sent ? OUTBOX_UNSURE : OUTBOX_AGAIN;
	}
	if (!is_answer(settings, response->status))
		return judge_status(verdict);
	return settings->transport->read(settings, verdict->answer, verdict->err);
}

/* ---- waiting for it, unless the daemon stops: a gateway that hangs must not hold that up */

struct exchange {
	_Atomic unsigned refs; /* who waits, and the network */
	struct mx_arena *mem;
	pthread_mutex_t lock; /* of the fields below */
	pthread_cond_t ended;
	bool done;
	struct net_response response; /* its body is in mem */
};

static struct exchange *exchange_new(void)
{
	struct exchange *exchange = mx_calloc(1, sizeof(*exchange));

	atomic_init(&exchange->refs, 2);
	exchange->mem = mx_arena_new(0);
	pthread_mutex_init(&exchange->lock, NULL);
	mx_cond_init(&exchange->ended);
	return exchange;
}

static void exchange_unref(struct exchange *exchange)
{
	if (atomic_fetch_sub(&exchange->refs, 1) > 1)
		return;
	pthread_cond_destroy(&exchange->ended);
	pthread_mutex_destroy(&exchange->lock);
	mx_arena_free(exchange->mem);
	mx_free(exchange);
}

static void answered(void *ctx, const struct net_response *response)
{
	struct exchange *exchange = ctx;

	pthread_mutex_lock(&exchange->lock);
	exchange->response = *response;
	exchange->response.body = mx_arena_slice(exchange->mem, response->body);
	exchange->response.content_type = NULL;
	exchange->done = true;
	pthread_cond_signal(&exchange->ended);
	pthread_mutex_unlock(&exchange->lock);
	exchange_unref(exchange);
}

static struct net_response wait_for(struct exchange *exchange, const _Atomic bool *hurry)
{
	struct net_response response = { .rc = -MX_BUSY, .sent = true };

	mx_fail(&response.err, MX_BUSY, "The daemon stopped before there was an answer");
	pthread_mutex_lock(&exchange->lock);
	while (!exchange->done && !(hurry && *hurry)) {
		struct timespec until = mx_after_us(SLICE_US);

		pthread_cond_timedwait(&exchange->ended, &exchange->lock, &until);
	}
	if (exchange->done)
		response = exchange->response;
	pthread_mutex_unlock(&exchange->lock);
	return response;
}

static enum outbox_result ask(struct net *net, const struct sms_settings *settings,
			      const struct net_request *request, const _Atomic bool *hurry,
			      struct mx_error *err)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct exchange *exchange = exchange_new();
	struct net_response response;
	enum outbox_result result;
	json_t *answer = NULL;

	net_start(net, request, answered, exchange);
	response = wait_for(exchange, hurry);
	if (response.rc == 0 &&
	    mx_json_parse(response.body, &mx_json_default_limits, mem, &answer, NULL))
		answer = NULL;
	result = judge(&(struct verdict){ .settings = settings,
					  .response = &response,
					  .answer = answer,
					  .mem = mem,
					  .err = err });
	json_decref(answer);
	exchange_unref(exchange);
	return result;
}

enum outbox_result sms_transport_send(struct net *net, const struct sms_settings *settings,
				      const struct sms_message *message, struct mx_error *err)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct net_request request = { .method = "POST", .max_bytes = ANSWER_BYTES_MAX };

	if (settings->transport->run)
		return settings->transport->run(settings, message, err);
	if (settings->transport->build(settings, message, mem, &request, err))
		return OUTBOX_REFUSED;
	request.total_ms = settings->conf->timeout_ms;
	return ask(net, settings, &request, message->hurry, err);
}
