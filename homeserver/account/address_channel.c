#include "homeserver/account/address_channel.h"

#include "homeserver/account/threepids.h"
#include "homeserver/call.h"
#include "homeserver/hs.h"
#include "homeserver/hs_conf.h"
#include "homeserver/message/messages.h"
#include "shared/core/arena.h"
#include "shared/threepid/mailed.h"

static int allow(void *app, const struct validation_request *request,
		 struct allowance *ret_allowance, struct mx_error *err)
{
	static const struct mailed_budgets kinds = {
		.network = MESSAGES_OF_NETWORK,
		.asker = MESSAGES_OF_ASKER,
		.address = MESSAGES_TO_ADDRESS,
		.address_day = MESSAGES_TO_ADDRESS_DAY,
	};

	(void)app;
	(void)err;
	mailed_allowance(request, &kinds, ret_allowance);
	return 0;
}

static struct hs_call call_for(void *app, const struct claim_call *call)
{
	return (struct hs_call){
		.hs = app, .txn = call->txn, .mem = call->mem, .now_ms = call->now_ms
	};
}

/* ---- with a link */

/* To a page with a button, because programs that look for bad links open every link of a mail. */
static const char *link_of(const struct hs_call *call, const struct validation_send *what)
{
	const char *page = mx_arena_strf(call->mem, "%s" ADDRESS_PAGE,
					 call->hs->conf->public_base_url);

	return mailed_link(page, what, call->mem);
}

static int send_link(const struct hs_call *call, const struct validation_send *what,
		     const char *name, uint64_t *ret_message, struct mx_error *err)
{
	const struct template_value values[] = {
		{ "link", link_of(call, what) },
		{ "token", what->session->token },
		{ "ipaddress", what->request->client },
	};
	const struct message message = {
		.name = name,
		.to = what->request->session.address_as_sent,
		.style = &what->request->style,
		.values = { values, sizeof(values) / sizeof(values[0]) },
	};

	return messages_mail(call, &message, ret_message, err);
}

/* ---- without */

/* "" if it is nobody's. */
static const char *owner_of(const struct hs_call *call, const struct threepid *threepid)
{
	const char *user;

	return threepid_user(call, threepid->medium, threepid->address, &user, NULL) ? "" : user;
}

static int send_notice(const struct hs_call *call, const struct validation_send *what,
		       const char *name, uint64_t *ret_message, struct mx_error *err)
{
	const struct template_value values[] = {
		{ "user_id", owner_of(call, &what->session->threepid) },
		{ "ipaddress", what->request->client },
	};
	const struct message message = {
		.name = name,
		.to = what->request->session.address_as_sent,
		.style = &what->request->style,
		.values = { values, sizeof(values) / sizeof(values[0]) },
	};

	return messages_mail(call, &message, ret_message, err);
}

/* ---- channels */

#define SENDER(function, how, name)                                                    \
	static int function(void *app, const struct claim_call *claim_call,            \
			    const struct validation_send *what, uint64_t *ret_message, \
			    struct mx_error *err)                                      \
	{                                                                              \
		const struct hs_call call = call_for(app, claim_call);                 \
                                                                                       \
		return how(&call, what, name, ret_message, err);                       \
	}

SENDER(send_registration, send_link, "registration")
SENDER(send_adding, send_link, "adding")
SENDER(send_password, send_link, "password")
SENDER(send_taken, send_notice, "taken")
SENDER(send_unknown, send_notice, "unknown")

#define MAIL(function)                                                                           \
	{                                                                                        \
		.medium = "email", .lost = MX_EMAIL_SEND_ERROR, .allow = allow, .send = function \
	}

static const struct validation_channel links[] = {
	[ADDRESS_TO_REGISTER] = MAIL(send_registration),
	[ADDRESS_TO_ADD] = MAIL(send_adding),
	[ADDRESS_TO_RESET] = MAIL(send_password),
};

static const struct validation_channel notices[] = {
	[ADDRESS_TO_REGISTER] = MAIL(send_taken),
	[ADDRESS_TO_ADD] = MAIL(send_taken),
	[ADDRESS_TO_RESET] = MAIL(send_unknown),
};

const struct validation_channel *address_channel(enum address_purpose purpose)
{
	return &links[purpose];
}

const struct validation_channel *address_channel_vain(enum address_purpose purpose)
{
	return &notices[purpose];
}

struct validator address_validator(struct hs *hs)
{
	return (struct validator){
		.store = hs->store,
		.outbox = hs->outbox,
		.budgets = hs->budgets,
		.app = hs,
	};
}
