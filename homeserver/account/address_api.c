/* Spec: client-server API, "Adding Account Administrative Contact Information": the requestToken
 * endpoints, of registration and of forgotten passwords too; and what a token is brought back to.
 */
#include "homeserver/account/address_channel.h"
#include "homeserver/account/address_claim.h"
#include "homeserver/account/address_remote.h"
#include "homeserver/account/address_request.h"
#include "homeserver/call.h"
#include "homeserver/hs.h"
#include "homeserver/hs_conf.h"
#include "homeserver/message/messages.h"
#include "homeserver/routes.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/http/request.h"
#include "shared/json/json.h"
#include "shared/mail/letter_page.h"
#include "shared/phone/phone.h"
#include "shared/store/store.h"
#include "shared/threepid/asking.h"
#include "shared/threepid/confirm.h"

#define SUBMIT_PAGE "/_matrix/static/verify"

/* ---- e-mail */

static const char *submit_url(struct req *r, const char *medium)
{
	const struct hs *hs = r->app;

	return mx_arena_strf(r->mem, "%s" SUBMIT_PAGE "/%s/token", hs->conf->public_base_url,
			     medium);
}

static int ask_email(struct req *r, enum address_purpose purpose)
{
	const struct validator validator = address_validator(r->app);
	const struct asking asking = {
		.validator = &validator,
		.submit_url = submit_url(r, "email"),
	};
	struct validation_request request = { 0 };
	int rc;

	if (r->kept)
		return asking_await(r, &asking);
	rc = address_request_email(r, purpose, &request);
	return rc ? rc : asking_begin(r, &asking, &request);
}

/* ---- phone numbers */

static int ask_msisdn(struct req *r, enum address_purpose purpose)
{
	const struct hs_call call = call_of(r);
	struct validation_request request = { 0 };
	struct address_remote remote;
	struct asking asking = { 0 };
	struct phone phone;
	const char *sid;
	int rc = address_request_remote(r, &remote);

	if (rc == 0)
		rc = address_request_msisdn(r, purpose, &request, &phone);
	if (rc == 0)
		rc = address_remote_begin(&call, &remote, &request, r, &sid);
	if (rc)
		return rc;
	asking.phone = &phone;
	asking.submit_url = submit_url(r, "msisdn");
	asking_reply(r, &asking, sid);
	return 0;
}

/* ---- the token comes back */

static int show_page(struct req *r, const char *file, const struct template_values *values,
		     int status)
{
	const struct letter_page page = {
		.file = file,
		.values = *values,
		.status = status,
		.http_links = *conf_of(r->app)->validation.next_link_http,
	};

	return messages_page(r, &page);
}

static struct confirm_desk desk_of(struct req *r, const struct validator *validator)
{
	const struct hs *hs = r->app;

	return (struct confirm_desk){
		.validator = validator,
		.page_url = mx_arena_strf(r->mem, "%s" ADDRESS_PAGE, hs->conf->public_base_url),
		.brand = messages_style(r).brand,
		.page = show_page,
	};
}

static int get_page(struct req *r)
{
	const struct validator validator = address_validator(r->app);
	const struct confirm_desk desk = desk_of(r, &validator);

	return confirm_show(r, &desk);
}

static int post_page(struct req *r)
{
	const struct validator validator = address_validator(r->app);
	const struct confirm_desk desk = desk_of(r, &validator);

	return confirm_form(r, &desk);
}

static int post_email_code(struct req *r)
{
	const struct validator validator = address_validator(r->app);
	const struct confirm_desk desk = desk_of(r, &validator);

	return confirm_json(r, &desk, "email");
}

static int load_remote(struct req *r, struct claim *ret_claim)
{
	struct hs_call call = call_of(r);
	struct claim_call claims;
	int rc;

	call.view = store_view_begin(call.hs->store);
	claims = address_claim_call(&call);
	rc = claim_load(&claims, jstr(r->body, "sid"), jstr(r->body, "client_secret"), ret_claim,
			&r->err);
	store_view_end(call.view);
	if (rc == 0 && !ret_claim->remote)
		rc = -MX_NO_VALID_SESSION;
	if (rc == -MX_NO_VALID_SESSION)
		return mx_fail(&r->err, MX_SESSION_UNKNOWN, "%s",
			       mx_errc(MX_SESSION_UNKNOWN)->text);
	return rc;
}

static int post_msisdn_code(struct req *r)
{
	const struct hs_call call = call_of(r);
	struct claim claim;
	int rc = load_remote(r, &claim);

	if (rc == 0)
		rc = address_remote_submit(&call, &claim, jstr(r->body, "token"), &r->err);
	if (rc == 0)
		reply_json(r, json_pack("{s:b}", "success", 1));
	return rc;
}

/* ---- routes */

#define ASK(function, how, purpose)        \
	static int function(struct req *r) \
	{                                  \
		return how(r, purpose);    \
	}

ASK(register_email, ask_email, ADDRESS_TO_REGISTER)
ASK(register_msisdn, ask_msisdn, ADDRESS_TO_REGISTER)
ASK(password_email, ask_email, ADDRESS_TO_RESET)
ASK(password_msisdn, ask_msisdn, ADDRESS_TO_RESET)
ASK(add_email, ask_email, ADDRESS_TO_ADD)
ASK(add_msisdn, ask_msisdn, ADDRESS_TO_ADD)

#define EMAIL_ROW(path, handler)                                                          \
	{                                                                                 \
		POST, CLIENT_V3 path "/email/requestToken", handler,                      \
			.limit = LIMIT_SEND_MAIL, .flags = ROUTE_CORS,                    \
			.body = "client/email_token", .reply = "client/email_token.reply" \
	}
#define MSISDN_ROW(path, handler)                                                           \
	{                                                                                   \
		POST, CLIENT_V3 path "/msisdn/requestToken", handler,                       \
			.limit = LIMIT_SEND_MAIL, .lane = LANE_NET, .flags = ROUTE_CORS,    \
			.body = "client/msisdn_token", .reply = "client/msisdn_token.reply" \
	}
#define CODE_ROW(medium, handler, how)                                                       \
	{                                                                                    \
		POST, SUBMIT_PAGE "/" medium "/token", handler,                              \
			.limit = LIMIT_LOGIN, .lane = how, .flags = ROUTE_CORS | ROUTE_FORM, \
			.body = "client/submit_token", .reply = "client/submit_token.reply"  \
	}

const struct route address_routes[] = {
	EMAIL_ROW("/register", register_email),
	MSISDN_ROW("/register", register_msisdn),
	EMAIL_ROW("/account/password", password_email),
	MSISDN_ROW("/account/password", password_msisdn),
	EMAIL_ROW("/account/3pid", add_email),
	MSISDN_ROW("/account/3pid", add_msisdn),
	CODE_ROW("email", post_email_code, LANE_WORK),
	CODE_ROW("msisdn", post_msisdn_code, LANE_NET),
	{ GET, ADDRESS_PAGE, get_page, .limit = LIMIT_READ, .txn = TXN_READ,
	  .reply = "client/page.reply" },
	{ POST, ADDRESS_PAGE, post_page, .limit = LIMIT_LOGIN, .flags = ROUTE_FORM,
	  .body = "client/confirm", .reply = "client/page.reply" },
	{ 0 },
};
