/* Stages in which a person agrees to something, or shows to be one. Spec: client-server API,
 * "Terms of service at registration", "Google ReCaptcha". */
#include "homeserver/account/stages.h"
#include "homeserver/account/uia.h"
#include "homeserver/hs.h"
#include "homeserver/hs_conf.h"
#include "homeserver/kept.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/log.h"
#include "shared/core/str.h"
#include "shared/core/url.h"
#include "shared/daemon/files.h"
#include "shared/http/request.h"
#include "shared/json/json.h"
#include "shared/net/net.h"

#include <sodium.h>
#include <stdatomic.h>

#define RESPONSE_MAX 8192
#define SECRET_MAX   1024
#define ASK_MS       10000

/* ---- documents */

static int attempt_terms(struct req *r, const struct uia_session *session, const json_t *auth,
			 json_t **ret_result)
{
	(void)r;
	(void)session;
	(void)auth;
	(void)ret_result;
	return 0;
}

static json_t *terms_params(const struct hs *hs)
{
	const struct terms_conf *conf = &conf_of(hs)->terms;

	return terms_documents_json(conf->documents, conf->documents_count);
}

static bool has_terms(const struct hs *hs)
{
	return conf_of(hs)->terms.documents_count > 0;
}

const struct uia_stage stage_terms = {
	.type = STAGE_TERMS,
	.attempt = attempt_terms,
	.params = terms_params,
	.registers = has_terms,
};

/* ---- the riddle */

/* One question to the service that knows the riddle: of the request, and of the network. */
struct riddle {
	atomic_int refs;
	atomic_bool answered;
	bool solved; /* both before `answered` */
	int rc;
	struct req_wake *wake;
};

static void riddle_unref(void *ctx)
{
	struct riddle *riddle = ctx;

	if (atomic_fetch_sub(&riddle->refs, 1) > 1)
		return;
	req_wake_unref(riddle->wake);
	mx_free(riddle);
}

static bool says_solved(struct mx_slice body)
{
	mx_arena_auto *mem = mx_arena_new(0);
	json_auto_t *answer = NULL;

	return mx_json_parse(body, &mx_json_default_limits, mem, &answer, NULL) == 0 &&
	       jbool(answer, "success", false);
}

static void riddle_answered(void *ctx, const struct net_response *response)
{
	struct riddle *riddle = ctx;

	riddle->rc = response->rc;
	if (response->rc)
		mx_log(MX_LOG_WARN, "the riddle's service could not be asked", "why",
		       response->err.text, NULL);
	else if (response->status != 200)
		riddle->rc = -MX_REMOTE_FAILED;
	else
		riddle->solved = says_solved(response->body);
	atomic_store(&riddle->answered, true);
	req_wake(riddle->wake);
	riddle_unref(riddle);
}

static void add_field(struct mx_str *form, const char *name, const char *value)
{
	mx_str_addf(form, "%s%s=", form->len ? "&" : "", name);
	mx_url_add(form, mx_slice(value));
}

static int write_form(struct req *r, const char *response, struct mx_str *out)
{
	const struct hs *hs = r->app;
	char *secret = NULL;
	size_t len;
	int rc = file_read(conf_of(hs)->recaptcha.secret_file, SECRET_MAX, &secret, &len, NULL);

	if (rc)
		return mx_fail(&r->err, MX_UNKNOWN, "The riddle's secret cannot be read");
	secret[strcspn(secret, "\r\n")] = '\0';
	add_field(out, "secret", secret);
	add_field(out, "response", response);
	add_field(out, "remoteip", r->client);
	sodium_memzero(secret, len);
	mx_free(secret);
	return 0;
}

static int riddle_ask(struct req *r, const char *response)
{
	static const char *const headers[] = { "Content-Type: application/x-www-form-urlencoded",
					       NULL };
	const struct hs *hs = r->app;
	struct riddle *riddle;
	mx_str_auto form = { 0 };
	struct net_request request = {
		.method = "POST",
		.url = conf_of(hs)->recaptcha.verify_url,
		.headers = headers,
		.total_ms = ASK_MS,
	};
	int rc = write_form(r, response, &form);

	if (rc)
		return rc;
	riddle = mx_calloc(1, sizeof(*riddle));
	atomic_init(&riddle->refs, 2);
	riddle->wake = req_wake_new(r, ASK_MS);
	kept_add(r, riddle, riddle_unref);
	request.body = mx_str_slice(&form);
	net_start(hs->net, &request, riddle_answered, riddle);
	sodium_memzero(form.ptr, form.len);
	return -MX_PARK;
}

/* The request keeps it: what was asked once is not asked again by a later run. */
static int riddle_read(struct req *r, const struct riddle *riddle)
{
	bool answered = atomic_load(&riddle->answered);

	if (!answered && !r->timed_out)
		return -MX_PARK;
	if (!answered || riddle->rc)
		return mx_fail(&r->err, MX_BUSY, "Whether you are a person cannot be asked now");
	if (!riddle->solved)
		return mx_fail(&r->err, MX_STAGE_FAILED, "The riddle was not solved");
	return 0;
}

static int attempt_recaptcha(struct req *r, const struct uia_session *session, const json_t *auth,
			     json_t **ret_result)
{
	const struct riddle *riddle = kept_find(r, riddle_unref);
	const char *response = jstr(auth, "response");

	(void)session;
	(void)ret_result;
	if (riddle)
		return riddle_read(r, riddle);
	if (!response || !*response)
		return mx_fail(&r->err, MX_MISSING_PARAM, "Missing: response");
	if (strlen(response) > RESPONSE_MAX)
		return mx_fail(&r->err, MX_INVALID_PARAM, "`response` is too long");
	return riddle_ask(r, response);
}

static json_t *recaptcha_params(const struct hs *hs)
{
	return json_pack("{s:s}", "public_key", conf_of(hs)->recaptcha.site_key);
}

static bool has_recaptcha(const struct hs *hs)
{
	return conf_of(hs)->recaptcha.site_key != NULL;
}

const struct uia_stage stage_recaptcha = {
	.type = STAGE_RECAPTCHA,
	.attempt = attempt_recaptcha,
	.params = recaptcha_params,
	.registers = has_recaptcha,
};
