/* Which stages there are, and which flows they make. */
#include "homeserver/account/login.h"
#include "homeserver/account/registration_token.h"
#include "homeserver/account/stages.h"
#include "homeserver/account/uia.h"
#include "homeserver/call.h"
#include "homeserver/hs.h"
#include "homeserver/hs_conf.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/http/request.h"
#include "shared/json/json.h"
#include "shared/store/store.h"

#define DUMMY    "m.login.dummy"
#define PASSWORD "m.login.password"

static int attempt_dummy(struct req *r, const struct uia_session *session, const json_t *auth,
			 json_t **ret_result)
{
	(void)r;
	(void)session;
	(void)auth;
	(void)ret_result;
	return 0;
}

/* Of the user whose token the request has. Nothing is wrong with another's proof, and trying again
 * would not help. */
static int attempt_password(struct req *r, const struct uia_session *session, const json_t *auth,
			    json_t **ret_result)
{
	const char *user;
	int rc = login_by_password(r, auth, &user);

	(void)session;
	(void)ret_result;
	if (rc == 0 && !streq(user, r->user))
		return -MX_OTHER_USER;
	return rc;
}

/* The use is counted with the account that it makes. */
static int attempt_token(struct req *r, const struct uia_session *session, const json_t *auth,
			 json_t **ret_result)
{
	const char *token = jstr(auth, "token");
	struct hs_call call = call_of(r);
	bool good;

	(void)session;
	if (!token)
		return mx_fail(&r->err, MX_MISSING_PARAM, "`token` is missing");
	call.txn = NULL;
	call.view = store_view_begin(call.hs->store);
	good = registration_token_is_good(&call, token);
	store_view_end(call.view);
	if (!good)
		return mx_fail(&r->err, MX_STAGE_FAILED, "The registration token is not good");
	*ret_result = json_string(token);
	return 0;
}

static bool token_registers(const struct hs *hs)
{
	return conf_of(hs)->registration.mode == CONF_REGISTRATION_TOKEN;
}

static const struct uia_stage stage_dummy = { .type = DUMMY, .attempt = attempt_dummy };
static const struct uia_stage stage_password = { .type = PASSWORD, .attempt = attempt_password };
static const struct uia_stage stage_token = {
	.type = UIA_REGISTRATION_TOKEN,
	.attempt = attempt_token,
	.registers = token_registers,
};

const struct uia_stage *const uia_stages[] = {
	&stage_token,  &stage_terms, &stage_recaptcha, &stage_email,
	&stage_msisdn, &stage_dummy, &stage_password,  NULL,
};

/* ---- flows */

static void add_stage(struct uia_flow *flow, const char *type)
{
	if (flow->len < UIA_STAGES_MAX)
		flow->stages[flow->len++] = type;
}

static void confirm_flows(const struct hs *hs, struct uia_flows *ret_flows)
{
	(void)hs;
	ret_flows->len = 1;
	add_stage(&ret_flows->items[0], PASSWORD);
}

/* All that the configuration wants; what is never empty, so that nobody registers by accident. */
static void register_flows(const struct hs *hs, struct uia_flows *ret_flows)
{
	struct uia_flow *flow = &ret_flows->items[0];

	ret_flows->len = 1;
	for (size_t i = 0; uia_stages[i]; i++)
		if (uia_stages[i]->registers && uia_stages[i]->registers(hs))
			add_stage(flow, uia_stages[i]->type);
	if (flow->len == 0)
		add_stage(flow, DUMMY);
}

/* Each proof alone. */
static void reset_flows(const struct hs *hs, struct uia_flows *ret_flows)
{
	for (size_t i = 0; uia_stages[i] && ret_flows->len < UIA_FLOWS_MAX; i++)
		if (uia_stages[i]->resets && uia_stages[i]->resets(hs))
			add_stage(&ret_flows->items[ret_flows->len++], uia_stages[i]->type);
}

const struct uia_purpose uia_confirm = { .flows = confirm_flows };
const struct uia_purpose uia_register = { .flows = register_flows, .any_body = true };
const struct uia_purpose uia_reset = { .flows = reset_flows };
