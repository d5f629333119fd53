/* Stages that prove an address. Spec: client-server API, "Email-based (identity / homeserver)",
 * "Phone number/MSISDN-based". */
#include "homeserver/account/address_claim.h"
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

/* Older clients write the member's name otherwise. */
static int read_creds(struct req *r, const json_t *auth, const char **ret_sid,
		      const char **ret_secret)
{
	const json_t *creds = jobj(auth, "threepid_creds");

	if (!creds)
		creds = jobj(auth, "threepidCreds");
	if (!creds)
		return mx_fail(&r->err, MX_MISSING_PARAM, "Missing: threepid_creds");
	*ret_sid = jstr(creds, "sid");
	*ret_secret = jstr(creds, "client_secret");
	if (!*ret_sid || !*ret_secret)
		return mx_fail(&r->err, MX_MISSING_PARAM, "Missing: sid or client_secret");
	return 0;
}

/* Which address was proven, and when. */
static int attempt(struct req *r, const json_t *auth, const char *medium, json_t **ret_result)
{
	struct hs_call call = call_of(r);
	struct store_view *view;
	const char *sid = NULL, *secret = NULL;
	struct claim claim;
	int rc = read_creds(r, auth, &sid, &secret);

	if (rc)
		return rc;
	view = store_view_begin(call.hs->store);
	call.txn = NULL;
	call.view = view;
	rc = address_proof(&call, sid, secret, &claim, &r->err);
	store_view_end(view);
	if (rc)
		return rc;
	if (!streq(claim.threepid.medium, medium))
		return mx_fail(&r->err, MX_THREEPID_AUTH_FAILED,
			       "The session is of another kind of address");
	*ret_result = json_pack("{s:s, s:s, s:I}", "medium", claim.threepid.medium, "address",
				claim.threepid.address, "validated_at",
				(json_int_t)claim.validated_ms);
	return 0;
}

static int attempt_email(struct req *r, const struct uia_session *session, const json_t *auth,
			 json_t **ret_result)
{
	(void)session;
	return attempt(r, auth, "email", ret_result);
}

static int attempt_msisdn(struct req *r, const struct uia_session *session, const json_t *auth,
			  json_t **ret_result)
{
	(void)session;
	return attempt(r, auth, "msisdn", ret_result);
}

static bool needs_email(const struct hs *hs)
{
	return *conf_of(hs)->threepids.registration_email && hs->mailer;
}

static bool needs_msisdn(const struct hs *hs)
{
	return *conf_of(hs)->threepids.registration_msisdn;
}

static bool sends_mail(const struct hs *hs)
{
	return hs->mailer != NULL;
}

static bool has_servers(const struct hs *hs)
{
	return conf_of(hs)->identity.servers_count > 0;
}

const struct uia_stage stage_email = {
	.type = STAGE_EMAIL,
	.attempt = attempt_email,
	.registers = needs_email,
	.resets = sends_mail,
};

const struct uia_stage stage_msisdn = {
	.type = STAGE_MSISDN,
	.attempt = attempt_msisdn,
	.registers = needs_msisdn,
	.resets = has_servers,
};

int stages_keep_addresses(const struct hs_call *call, const struct uia_session *session,
			  const char *user, struct mx_error *err)
{
	static const char *const types[] = { STAGE_EMAIL, STAGE_MSISDN };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(types) / sizeof(types[0]); i++) {
		const json_t *found = uia_result(session, types[i]);
		struct account_threepid added = { .added_ms = call->now_ms };

		if (!found)
			continue;
		added.threepid.medium = jstr_or(found, "medium", "");
		added.threepid.address = jstr_or(found, "address", "");
		added.validated_ms = jint(found, "validated_at", 0);
		rc = threepids_add(call, user, &added, err);
	}
	return rc;
}
