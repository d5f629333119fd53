#include "identity/identity.h"
#include "identity/identity_conf.h"
#include "identity/routes.h"
#include "identity/validate/confirming.h"
#include "shared/core/arena.h"
#include "shared/core/str.h"
#include "shared/core/url.h"
#include "shared/threepid/allowance.h"
#include "shared/threepid/confirm.h"

static int allow(void *app, const struct validation_request *request,
		 struct allowance *ret_allowance, struct mx_error *err)
{
	const char *address = request->session.threepid.address;

	(void)app;
	(void)err;
	ret_allowance->len = 0;
	allowance_add_network(ret_allowance, BUDGET_MAIL_PREFIX, request->client);
	allowance_add(ret_allowance, BUDGET_MAIL_ASKER,
		      request->account ? request->account : ret_allowance->network);
	allowance_add(ret_allowance, BUDGET_MAIL_ADDRESS, address);
	allowance_add(ret_allowance, BUDGET_MAIL_ADDRESS_DAY, address);
	return 0;
}

static void add_parameter(struct mx_str *link, const char *name, const char *value)
{
	mx_str_addf(link, "&%s=", name);
	mx_url_add(link, mx_slice(value));
}

/* To a page with a button, because programs that look for bad links open every link of a mail;
 * or, if the operator wants that, to the endpoint that validates at once. */
static const char *link_of(const struct identity_call *call, const struct claim *session,
			   const char *brand)
{
	const bool *landing = conf_of(call->identity)->validation.landing_page;
	bool page = !landing || *landing;
	mx_str_auto link = { 0 };

	mx_str_addf(&link, "%s%s?sid=", call->identity->conf->public_base_url,
		    page ? VALIDATION_PAGE : IDENTITY_V2 "/validate/email/submitToken");
	mx_url_add(&link, mx_slice(session->id));
	add_parameter(&link, "client_secret", session->client_secret);
	add_parameter(&link, "token", session->token);
	if (brand)
		add_parameter(&link, "brand", brand);
	return mx_arena_strdup(call->mem, link.ptr);
}

static int send(void *app, const struct claim_call *session_call,
		const struct validation_send *what, uint64_t *ret_message, struct mx_error *err)
{
	const struct identity_call call = identity_call_of(app, session_call);
	const struct validation_request *request = what->request;
	const struct template_value values[] = {
		{ "link", link_of(&call, what->session, request->style.brand) },
		{ "token", what->session->token },
		{ "ipaddress", request->client },
	};
	const struct template_values all = { values, sizeof(values) / sizeof(values[0]) };

	return message_mail(&call, MESSAGE_VERIFICATION, &request->style,
			    request->session.address_as_sent, &all, ret_message, err);
}

const struct validation_channel mail_channel = {
	.medium = "email",
	.lost = MX_EMAIL_SEND_ERROR,
	.allow = allow,
	.send = send,
};
