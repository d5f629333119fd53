/* Spec: identity service API, "Phone number associations". */
#include "identity/routes.h"
#include "identity/validate/asking.h"
#include "identity/validate/confirm.h"
#include "identity/validate/validation.h"
#include "shared/core/error.h"
#include "shared/http/request.h"
#include "shared/json/json.h"
#include "shared/phone/phone.h"

static int read_phone(struct req *r, struct phone *ret_phone)
{
	const char *country = jstr(r->body, "country");

	if (!phone_is_country(country))
		return mx_fail(&r->err, MX_INVALID_PARAM,
			       "country must be the two capital letters of a country");
	if (!phone_parse(jstr(r->body, "phone_number"), country, ret_phone))
		return mx_fail(&r->err, MX_INVALID_ADDRESS, "The phone number is not valid");
	return 0;
}

static int post_msisdn_token(struct req *r)
{
	struct validation_request request = {
		.channel = &sms_channel,
		.session = { .address_as_sent = "", .short_token = true },
	};
	struct phone phone;
	int rc;

	if (r->kept)
		return asking_await(r);
	rc = asking_read(r, &request);
	if (rc == 0)
		rc = read_phone(r, &phone);
	if (rc)
		return rc;
	request.session.threepid = (struct threepid){ "msisdn", phone.msisdn };
	request.region = phone.region;
	return asking_begin(r, &request, &phone);
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
