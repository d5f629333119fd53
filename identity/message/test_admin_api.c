/* For the operator: one mail or one text message now, and how far it came. */
#include "identity/identity.h"
#include "identity/message/message.h"
#include "identity/routes.h"
#include "identity/sms/sms.h"
#include "identity/suppress/suppression.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/http/request.h"
#include "shared/json/json.h"
#include "shared/mail/address.h"
#include "shared/mail/smtp_trace.h"
#include "shared/phone/phone.h"
#include "shared/store/store.h"

/* Any: the number has to name its own. */
#define SOME_COUNTRY "US"

static json_t *step(const char *name, bool ok, const char *words)
{
	return json_pack("{s:s, s:b, s:s}", "step", name, "ok", ok, "words", words);
}

static const char *result_name(enum outbox_result result)
{
	switch (result) {
	case OUTBOX_SENT: return "sent";
	case OUTBOX_AGAIN: return "again";
	case OUTBOX_REFUSED: return "refused";
	case OUTBOX_UNSURE: return "unsure";
	case OUTBOX_EXPIRED:
	case OUTBOX_WITHDRAWN: break;
	}
	return "not sent";
}

/* A test that failed is an answer as good as any other. */
static int reply(struct req *r, enum outbox_result result, json_t *steps,
		 const struct mx_error *why)
{
	reply_json(r, json_pack("{s:s, s:s, s:o}", "result", result_name(result), "why",
				result == OUTBOX_SENT ? "" : why->text, "steps", steps));
	return 0;
}

/* The step "suppression": whether the address may be written to at all. */
static bool may_write(const struct identity_call *call, const struct threepid *threepid,
		      json_t *steps)
{
	struct store_view *view = store_view_begin(call->identity->store);
	struct identity_call reading = *call;
	const char *words = "it is suppressed";
	struct suppression suppression;
	int rc;

	reading.view = view;
	rc = suppression_find(&reading, threepid, &suppression);
	store_view_end(view);
	if (rc == -MX_NOT_FOUND)
		words = "none";
	json_array_append_new(steps, step("suppression", rc == -MX_NOT_FOUND, words));
	return rc == -MX_NOT_FOUND;
}

/* ---- mail */

/* Of smtp.h, behind what was done before. */
static void add_trace(json_t *steps, const struct smtp_trace *trace)
{
	json_t *rest = smtp_trace_json(trace);

	json_array_extend(steps, rest);
	json_decref(rest);
}

static enum outbox_result test_mail(const struct identity_call *call, const struct mail_address *to,
				    json_t *steps, struct mx_error *err)
{
	struct smtp_trace trace = { 0 };
	enum outbox_result result;

	if (!may_write(call, &(struct threepid){ "email", to->folded }, steps)) {
		mx_fail(err, MX_FORBIDDEN, "nothing is sent to this address");
		return OUTBOX_REFUSED;
	}
	result = message_test_mail(call, to, &trace, err);
	add_trace(steps, &trace);
	return result;
}

static int post_mail_test(struct req *r)
{
	const struct identity_call call = call_of(r);
	struct mx_error why = { 0 };
	struct mail_address to;
	enum outbox_result result;
	json_t *steps;
	int rc;

	if (!call.identity->mailer)
		return mx_fail(&r->err, MX_NOT_FOUND, "mail.relay is not set: no mail is sent");
	rc = mail_address_parse(jslice(r->body, "address"), &to, &r->err);
	if (rc)
		return rc;
	steps = json_pack("[o]", step("address", true, to.domain));
	result = test_mail(&call, &to, steps, &why);
	mail_address_done(&to);
	return reply(r, result, steps, &why);
}

/* ---- text message */

static int read_number(struct req *r, struct phone *ret_phone)
{
	const char *number = jstr(r->body, "number");

	if (number[0] != '+' || !phone_parse(number, SOME_COUNTRY, ret_phone))
		return mx_fail(&r->err, MX_INVALID_ADDRESS,
			       "That is no phone number with a plus sign and a country's code");
	return 0;
}

static enum outbox_result test_sms(const struct identity_call *call, const char *msisdn,
				   json_t *steps, struct mx_error *err)
{
	enum outbox_result result;
	int rc;

	if (!may_write(call, &(struct threepid){ "msisdn", msisdn }, steps)) {
		mx_fail(err, MX_FORBIDDEN, "nothing is sent to this number");
		return OUTBOX_REFUSED;
	}
	rc = sms_may_send(call->identity->sms, msisdn, err);
	json_array_append_new(steps, step("rules", rc == 0, rc ? err->text : ""));
	if (rc)
		return OUTBOX_REFUSED;
	result = message_test_sms(call, msisdn, err);
	json_array_append_new(steps, step("gateway", result == OUTBOX_SENT,
					  result == OUTBOX_SENT ? "" : err->text));
	return result;
}

static int post_sms_test(struct req *r)
{
	const struct identity_call call = call_of(r);
	enum outbox_result result;
	struct mx_error why = { 0 };
	struct phone phone;
	json_t *steps;
	int rc = read_number(r, &phone);

	if (rc)
		return rc;
	steps = json_pack("[o]", step("number", true, phone.region));
	result = test_sms(&call, phone.msisdn, steps, &why);
	return reply(r, result, steps, &why);
}

#define NOW .lane = LANE_NET, .deadline_ms = 3 * MX_MINUTE_MS

const struct route message_admin_routes[] = {
	{ POST, "/admin/v1/mail/test", post_mail_test, NOW, .body = "identity/mail_test" },
	{ POST, "/admin/v1/sms/test", post_sms_test, NOW, .body = "identity/sms_test" },
	{ 0 },
};
