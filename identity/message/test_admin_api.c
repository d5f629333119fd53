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
#include "shared/mail/trial.h"
#include "shared/phone/phone.h"
#include "shared/store/store.h"

/* Any: the number has to name its own. */
#define SOME_COUNTRY "US"

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
	json_array_append_new(steps, trial_step("suppression", rc == -MX_NOT_FOUND, words));
	return rc == -MX_NOT_FOUND;
}

/* ---- mail */

static bool may_write_mail(void *call, const struct mail_address *to, json_t *steps)
{
	return may_write(call, &(struct threepid){ "email", to->folded }, steps);
}

static int post_mail_test(struct req *r)
{
	struct identity_call call = call_of(r);
	const struct letterhead head = message_letterhead(call.identity);
	const struct mail_trial trial = {
		.mailer = call.identity->mailer,
		.head = &head,
		.may_write = may_write_mail,
		.ctx = &call,
	};

	return mail_trial(r, &trial);
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
	json_array_append_new(steps, trial_step("rules", rc == 0, rc ? err->text : ""));
	if (rc)
		return OUTBOX_REFUSED;
	result = message_test_sms(call, msisdn, err);
	json_array_append_new(steps, trial_step("gateway", result == OUTBOX_SENT,
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
	steps = json_pack("[o]", trial_step("number", true, phone.region));
	result = test_sms(&call, phone.msisdn, steps, &why);
	trial_reply(r, result, steps, &why);
	return 0;
}

const struct route message_admin_routes[] = {
	{ POST, "/admin/v1/mail/test", post_mail_test, TRIAL_ROW, .body = "admin/mail_test" },
	{ POST, "/admin/v1/sms/test", post_sms_test, TRIAL_ROW, .body = "identity/sms_test" },
	{ 0 },
};
