#include "shared/threepid/asking.h"

#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/http/request.h"
#include "shared/json/json.h"
#include "shared/outbox/outbox.h"
#include "shared/phone/phone.h"
#include "shared/threepid/next_link.h"
#include "shared/threepid/validation.h"

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

static int read_next_link(struct req *r, const struct next_link_rules *rules, const char **ret_link)
{
	const char *link = jstr(r->body, "next_link");
	int rc = link && *link ? next_link_check(rules, link, &r->err) : 0;

	if (rc == 0)
		*ret_link = link && *link ? link : NULL;
	return rc;
}

int asking_read(struct req *r, const struct next_link_rules *rules,
		struct validation_request *ret_request)
{
	struct claim_request *session = &ret_request->session;
	int rc;

	ret_request->account = r->user;
	ret_request->client = r->client;
	session->client_secret = jstr(r->body, "client_secret");
	rc = client_secret_check(session->client_secret, &r->err);
	if (rc == 0)
		rc = read_attempt(r, &session->send_attempt);
	return rc ? rc : read_next_link(r, rules, &session->next_link);
}

int asking_phone(struct req *r, struct phone *ret_phone)
{
	const char *country = jstr(r->body, "country");

	if (!phone_is_country(country))
		return mx_fail(&r->err, MX_INVALID_PARAM,
			       "country must be the two capital letters of a country");
	if (!phone_parse(jstr(r->body, "phone_number"), country, ret_phone))
		return mx_fail(&r->err, MX_INVALID_ADDRESS, "The phone number is not valid");
	return 0;
}

/* ---- waiting for the first attempt to send */

/* Kept over the runs: the request's memory is not. */
struct pending {
	uint64_t message; /* 0: nothing was to be sent */
	char id[CLAIM_ID_LEN + 1];
	enum mx_code lost;
	struct phone phone; /* msisdn "" for a mail */
};

static void keep(struct req *r, const struct validation *validation, enum mx_code lost,
		 const struct phone *phone)
{
	struct pending *pending = mx_calloc(1, sizeof(*pending));

	pending->message = validation->message;
	pending->lost = lost;
	memcpy(pending->id, validation->id, CLAIM_ID_LEN);
	if (phone)
		pending->phone = *phone;
	r->kept = pending;
	r->kept_free = mx_free;
}

static json_t *answer_of(const char *sid, const struct phone *phone)
{
	if (!phone)
		return json_pack("{s:s}", "sid", sid);
	return json_pack("{s:b, s:s, s:s, s:s}", "success", 1, "sid", sid, "msisdn", phone->msisdn,
			 "intl_fmt", phone->display);
}

void asking_reply(struct req *r, const struct asking *asking, const char *sid)
{
	json_t *answer = answer_of(sid, asking->phone);

	if (asking->submit_url)
		json_object_set_new(answer, "submit_url", json_string(asking->submit_url));
	reply_json(r, answer);
}

static void reply_kept(struct req *r, const struct asking *asking)
{
	const struct pending *pending = r->kept;
	struct asking again = *asking;

	again.phone = pending->phone.msisdn[0] ? &pending->phone : NULL;
	asking_reply(r, &again, pending->id);
}

int asking_await(struct req *r, const struct asking *asking)
{
	const struct validator *validator = asking->validator;
	const struct pending *pending = r->kept;
	struct req_wake *wake = req_wake_new(r, SEND_WAIT_MS);

	outbox_watch(validator->outbox, pending->message, wake);
	req_wake_unref(wake);
	if (!r->timed_out && validation_is_open(validator, pending->message))
		return -MX_PARK;
	if (!validation_is_lost(validator, pending->id, pending->message, r->mem)) {
		reply_kept(r, asking);
		return 0;
	}
	return mx_fail(&r->err, pending->lost, "%s", mx_errc(pending->lost)->text);
}

int asking_begin(struct req *r, const struct asking *asking,
		 const struct validation_request *request)
{
	struct validation validation;
	int rc = validation_begin(asking->validator, request, r->mem, &validation, &r->err);

	if (rc)
		return rc;
	keep(r, &validation, request->channel->lost, asking->phone);
	if (validation.message)
		return asking_await(r, asking);
	reply_kept(r, asking);
	return 0;
}
