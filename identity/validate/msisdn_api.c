/* Spec: identity service API, "Phone number associations". */
#include "identity/routes.h"
#include "identity/validate/confirming.h"
#include "identity/validate/token_request.h"
#include "shared/core/error.h"
#include "shared/http/request.h"
#include "shared/json/json.h"
#include "shared/phone/phone.h"
#include "shared/threepid/asking.h"
#include "shared/threepid/validation.h"

static int post_msisdn_token(struct req *r)
{
	struct validation_request request = {
		.channel = &sms_channel,
		.session = { .address_as_sent = "", .short_token = true },
	};
	struct phone phone;
	int rc;

	if (r->kept)
		return token_request_await(r);
	rc = token_request_read(r, &request);
	if (rc == 0)
		rc = asking_phone(r, &phone);
	if (rc)
		return rc;
	request.session.threepid = (struct threepid){ "msisdn", phone.msisdn };
	request.region = phone.region;
	return token_request_begin(r, &request, &phone);
}

const struct route msisdn_routes[] = {
	ASK_ROW(IDENTITY_V2, "msisdn", post_msisdn_token, AUTH_USER, "identity/msisdn_token",
		"identity/msisdn_token.reply"),
	CONFIRM_ROWS(IDENTITY_V2, "msisdn", AUTH_USER),
	{ 0 },
};

const struct route msisdn_v1_routes[] = {
	ASK_ROW(IDENTITY_V1, "msisdn", post_msisdn_token, AUTH_NONE, "identity/msisdn_token_v1",
		"identity/msisdn_token.reply"),
	CONFIRM_ROWS(IDENTITY_V1, "msisdn", AUTH_NONE),
	{ 0 },
};
