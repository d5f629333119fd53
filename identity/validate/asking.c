#include "identity/validate/asking.h"

#include "identity/identity.h"
#include "identity/identity_conf.h"
#include "shared/threepid/next_link.h"
#include "identity/validate/validation.h"
#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/http/request.h"
#include "shared/json/json.h"
#include "shared/outbox/outbox.h"
#include "shared/phone/phone.h"

/* A relay that takes longer is told of by nobody: the message is on its way then. */
#define SEND_WAIT_MS     8000
#define SEND_ATTEMPT_MAX INT64_C(9007199254740991)

/* ---- what was asked for */

/* An integer, or its digits; absent on v1 only, where the schema allows it. */
static int read_attempt(struct req *r, int64_t *ret_attempt)
{
	const json_t *value = json_object_get(r->body, "send_attempt");
	const char *text = json_string_value(value);
	int64_t attempt = -1;

	if (!value) {
		*ret_attempt = -1;
		return 0;
	}
	if (json_is_integer(value))
		attempt = json_integer_value(value);
	else if (text && !mx_parse_i64(mx_slice(text), &attempt))
		attempt = -1;
	if (attempt < 0 || attempt > SEND_ATTEMPT_MAX)
		return mx_fail(&r->err, MX_INVALID_PARAM, "send_attempt must be a whole number");
	*ret_attempt = attempt;
	return 0;
}

static int read_next_link(struct req *r, const char **ret_link)
{
	const struct identity_conf *conf = conf_of(r->app);
	const struct next_link_rules rules = {
		.hosts = (const char *const *)conf->validation.next_link_hosts,
		.hosts_len = conf->validation.next_link_hosts_count,
		.http = conf->validation.next_link_http && *conf->validation.next_link_http,
	};
	const char *link = jstr(r->body, "next_link");
	int rc = link && *link ? next_link_check(&rules, link, &r->err) : 0;

	if (rc == 0)
		*ret_link = link && *link ? link : NULL;
	return rc;
}

int asking_read(struct req *r, struct validation_request *ret_request)
{
	struct session_request *session = &ret_request->session;
	int rc;

	ret_request->style = message_style_of(r->app, r);
	ret_request->account = r->user;
	ret_request->client = r->client;
	session->client_secret = jstr(r->body, "client_secret");
	rc = client_secret_check(session->client_secret, &r->err);
	if (rc == 0)
		rc = read_attempt(r, &session->send_attempt);
	return rc ? rc : read_next_link(r, &session->next_link);
}

/* ---- waiting for the first attempt to send */

/* Kept over the runs: the request's memory is not. */
struct pending {
	uint64_t message; /* 0: nothing was to be sent */
	char id[SESSION_ID_LEN + 1];
	enum mx_code lost;
	struct phone phone; /* msisdn "" for a mail */
};

static void keep(struct req *r, const struct validation *validation, enum mx_code lost,
		 const struct phone *phone)
{
	struct pending *pending = mx_calloc(1, sizeof(*pending));

	pending->message = validation->message;
	pending->lost = lost;
	memcpy(pending->id, validation->id, SESSION_ID_LEN);
	if (phone)
		pending->phone = *phone;
	r->kept = pending;
	r->kept_free = mx_free;
}

static void reply_session(struct req *r, const struct pending *pending)
{
	if (pending->phone.msisdn[0])
		reply_json(r, json_pack("{s:b, s:s, s:s, s:s}", "success", 1, "sid", pending->id,
					"msisdn", pending->phone.msisdn, "intl_fmt",
					pending->phone.display));
	else
		reply_json(r, json_pack("{s:s}", "sid", pending->id));
}

int asking_await(struct req *r)
{
	struct identity *identity = r->app;
	const struct pending *pending = r->kept;
	struct req_wake *wake = req_wake_new(r, SEND_WAIT_MS);

	outbox_watch(identity->outbox, pending->message, wake);
	req_wake_unref(wake);
	if (!r->timed_out && validation_is_open(identity, pending->message))
		return -MX_PARK;
	if (!validation_is_lost(identity, pending->id, pending->message, r->mem)) {
		reply_session(r, pending);
		return 0;
	}
	return mx_fail(&r->err, pending->lost, "%s", mx_errc(pending->lost)->text);
}

int asking_begin(struct req *r, const struct validation_request *request, const struct phone *phone)
{
	struct validation validation;
	int rc = validation_begin(r->app, request, r->mem, &validation, &r->err);

	if (rc)
		return rc;
	keep(r, &validation, request->channel->lost, phone);
	if (validation.message)
		return asking_await(r);
	reply_session(r, r->kept);
	return 0;
}
