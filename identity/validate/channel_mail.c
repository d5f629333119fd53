#include "identity/identity.h"
#include "identity/identity_conf.h"
#include "identity/routes.h"
#include "identity/validate/confirming.h"
#include "shared/core/arena.h"
#include "shared/threepid/mailed.h"

static int allow(void *app, const struct validation_request *request,
		 struct allowance *ret_allowance, struct mx_error *err)
{
	static const struct mailed_budgets kinds = {
		.network = BUDGET_MAIL_PREFIX,
		.asker = BUDGET_MAIL_ASKER,
		.address = BUDGET_MAIL_ADDRESS,
		.address_day = BUDGET_MAIL_ADDRESS_DAY,
	};

	(void)app;
	(void)err;
	mailed_allowance(request, &kinds, ret_allowance);
	return 0;
}

/* To a page with a button, because programs that look for bad links open every link of a mail;
 * or, if the operator wants that, to the endpoint that validates at once. */
static const char *link_of(const struct identity_call *call, const struct validation_send *what)
{
	const bool *landing = conf_of(call->identity)->validation.landing_page;
	const char *page = !landing || *landing ? VALIDATION_PAGE
						: IDENTITY_V2 "/validate/email/submitToken";

	page = mx_arena_strf(call->mem, "%s%s", call->identity->conf->public_base_url, page);
	return mailed_link(page, what, call->mem);
}

static int send(void *app, const struct claim_call *session_call,
		const struct validation_send *what, uint64_t *ret_message, struct mx_error *err)
{
	const struct identity_call call = identity_call_of(app, session_call);
	const struct validation_request *request = what->request;
	const struct template_value values[] = {
		{ "link", link_of(&call, what) },
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
