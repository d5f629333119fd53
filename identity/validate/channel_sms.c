#include "identity/identity.h"
#include "identity/sms/sms.h"
#include "identity/validate/allowance.h"
#include "identity/validate/validation.h"

static int allow(struct identity *identity, const struct validation_request *request,
		 struct allowance *ret_allowance, struct mx_error *err)
{
	const char *msisdn = request->session.threepid.address;
	int rc;

	if (!identity->sms)
		return mx_fail(err, MX_DESTINATION_REJECTED, "This service sends no text messages");
	rc = sms_may_send(identity->sms, msisdn, err);
	if (rc == 0)
		allowance_of_sms(ret_allowance, msisdn, request->region, request->client);
	return rc;
}

static int send(const struct identity_call *call, const struct validation_request *request,
		const struct session *session, uint64_t *ret_message, struct mx_error *err)
{
	return message_sms(call, session->threepid.address, &request->style, session->token,
			   ret_message, err);
}

const struct validation_channel sms_channel = {
	.medium = "msisdn",
	.lost = MX_SEND_ERROR,
	.allow = allow,
	.send = send,
};
