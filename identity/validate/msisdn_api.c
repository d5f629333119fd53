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

static int post_submit(struct req *r)
{
	return confirm_json(r, "msisdn");
}

static int get_submit(struct req *r)
{
	return confirm_link(r, "msisdn");
}

#define ASK    "/validate/msisdn/requestToken"
#define SUBMIT "/validate/msisdn/submitToken"

#define FORM .flags = ROUTE_CORS | ROUTE_FORM
#define PERSON                                                          \
	.limit = LIMIT_LOGIN, .flags = ROUTE_CORS | ROUTE_BEFORE_TERMS, \
	.reply = "identity/page.reply"

const struct route msisdn_routes[] = {
	{ POST, IDENTITY_V2 ASK, post_msisdn_token, .auth = AUTH_USER, .limit = LIMIT_SEND_MAIL,
	  FORM, .body = "identity/msisdn_token", .reply = "identity/msisdn_token.reply" },
	{ POST, IDENTITY_V2 SUBMIT, post_submit, .auth = AUTH_USER, .limit = LIMIT_LOGIN, FORM,
	  .body = "identity/submit_token", .reply = "identity/submit_token.reply" },
	{ GET, IDENTITY_V2 SUBMIT, get_submit, PERSON },
	{ 0 },
};

const struct route msisdn_v1_routes[] = {
	{ POST, IDENTITY_V1 ASK, post_msisdn_token, .limit = LIMIT_SEND_MAIL, FORM,
	  .body = "identity/msisdn_token_v1", .reply = "identity/msisdn_token.reply" },
	{ POST, IDENTITY_V1 SUBMIT, post_submit, .limit = LIMIT_LOGIN, FORM,
	  .body = "identity/submit_token", .reply = "identity/submit_token.reply" },
	{ GET, IDENTITY_V1 SUBMIT, get_submit, PERSON },
	{ 0 },
};
