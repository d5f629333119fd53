#include "identity/identity.h"
#include "identity/sms/sms.h"
#include "identity/validate/confirming.h"
#include "shared/threepid/allowance.h"

static void need(struct allowance *allowance, const struct validation_request *request)
{
	const char *msisdn = request->session.threepid.address;

	allowance->len = 0;
	allowance_add_network(allowance, BUDGET_SMS_PREFIX, request->client);
	allowance_add(allowance, BUDGET_SMS_NUMBER, msisdn);
	allowance_add(allowance, BUDGET_SMS_NUMBER_DAY, msisdn);
	allowance_add(allowance, BUDGET_SMS_COUNTRY, request->region);
}

static int allow(void *app, const struct validation_request *request,
		 struct allowance *ret_allowance, struct mx_error *err)
{
	struct identity *identity = app;
	const char *msisdn = request->session.threepid.address;
	int rc;

	if (!identity->sms)
		return mx_fail(err, MX_DESTINATION_REJECTED, "This service sends no text messages");
	rc = sms_may_send(identity->sms, msisdn, err);
	if (rc == 0)
		need(ret_allowance, request);
	return rc;
}

static int send(void *app, const struct claim_call *session_call,
		const struct validation_send *what, uint64_t *ret_message, struct mx_error *err)
{
	const struct identity_call call = identity_call_of(app, session_call);

	return message_sms(&call, what->session->threepid.address, &what->request->style,
			   what->session->token, ret_message, err);
}

const struct validation_channel sms_channel = {
	.medium = "msisdn",
	.lost = MX_SEND_ERROR,
	.allow = allow,
	.send = send,
};
