/* Spec: client-server API, the requestToken endpoints. */
#include "homeserver/account/address_request.h"

#include "homeserver/account/address_remote.h"
#include "homeserver/account/id_server.h"
#include "homeserver/account/threepids.h"
#include "homeserver/call.h"
#include "homeserver/hs.h"
#include "homeserver/hs_conf.h"
#include "homeserver/message/messages.h"
#include "shared/core/error.h"
#include "shared/core/glob.h"
#include "shared/http/request.h"
#include "shared/json/json.h"
#include "shared/phone/phone.h"
#include "shared/store/store.h"
#include "shared/threepid/asking.h"

/* ---- whether an address may be asked for */

static int check_email(const struct hs *hs, const char *address, struct mx_error *err)
{
	const struct threepids_conf *conf = &conf_of(hs)->threepids;

	for (unsigned i = 0; i < conf->emails_count; i++)
		if (mx_glob_match(mx_slice(conf->emails[i]), mx_slice(address)))
			return 0;
	if (conf->emails_count == 0)
		return 0;
	return mx_fail(err, MX_THREEPID_DENIED, "This homeserver does not use such addresses");
}

static bool is_somebodys(struct hs *hs, const struct threepid *threepid, struct mx_arena *mem)
{
	struct store_view *view = store_view_begin(hs->store);
	const struct hs_call call = { .hs = hs, .view = view, .mem = mem };
	const char *user;
	int rc = threepid_user(&call, threepid->medium, threepid->address, &user, NULL);

	store_view_end(view);
	return rc == 0;
}

/* *ret_vain: the claim can come to nothing, which is not told to who asks, but where the
 * specification wants it or the operator does. */
static int check_use(struct req *r, enum address_purpose purpose, const struct threepid *threepid,
		     bool *ret_vain)
{
	struct hs *hs = r->app;
	bool tell = *conf_of(hs)->threepids.tell_existence || purpose == ADDRESS_TO_ADD;
	bool used = is_somebodys(hs, threepid, r->mem);

	*ret_vain = used != (purpose == ADDRESS_TO_RESET);
	if (!*ret_vain || !tell)
		return 0;
	if (used)
		return mx_fail(&r->err, MX_THREEPID_IN_USE, "The address is another account's");
	return mx_fail(&r->err, MX_THREEPID_NOT_FOUND, "%s", mx_errc(MX_THREEPID_NOT_FOUND)->text);
}

static int check_purpose(struct req *r, enum address_purpose purpose)
{
	if (purpose == ADDRESS_TO_ADD && !*conf_of(r->app)->threepids.changes)
		return mx_fail(&r->err, MX_FORBIDDEN,
			       "People do not change their addresses here themselves");
	return 0;
}

static int read_request(struct req *r, enum address_purpose purpose,
			struct validation_request *ret_request)
{
	const struct next_link_rules links = validation_conf_links(&conf_of(r->app)->validation);
	int rc = check_purpose(r, purpose);

	ret_request->style = messages_style(r);
	ret_request->account = r->user;
	return rc ? rc : asking_read(r, &links, ret_request);
}

/* ---- e-mail */

/* Mails are our own; but a server that is not trusted is refused, as clients expect. */
static int check_mail(struct req *r)
{
	const char *name = jstr(r->body, "id_server");
	const struct id_server_conf *server;
	const struct hs *hs = r->app;
	int rc = name ? id_server_find(hs, name, &server, &r->err) : 0;

	if (rc)
		return rc;
	if (!hs->mailer)
		return mx_fail(&r->err, MX_MEDIUM_NOT_SUPPORTED,
			       "This homeserver sends no e-mails");
	return 0;
}

int address_request_check(struct req *r, enum address_purpose purpose,
			  struct validation_request *request)
{
	struct claim_request *claim = &request->session;
	bool vain;
	int rc = threepid_parse("email", claim->address_as_sent, r->mem, &claim->threepid, &r->err);

	if (rc == 0)
		rc = check_email(r->app, claim->threepid.address, &r->err);
	if (rc == 0)
		rc = check_use(r, purpose, &claim->threepid, &vain);
	if (rc == 0)
		request->channel = vain ? address_channel_vain(purpose) : address_channel(purpose);
	/* Spec: "M_INVALID_PARAM: The email address given was not valid." */
	if (rc == -MX_INVALID_EMAIL)
		return mx_fail(&r->err, MX_INVALID_PARAM, "The e-mail address is not valid");
	return rc;
}

int address_request_email(struct req *r, enum address_purpose purpose,
			  struct validation_request *ret_request)
{
	int rc = check_mail(r);

	if (rc == 0)
		rc = read_request(r, purpose, ret_request);
	ret_request->session.address_as_sent = jstr(r->body, "email");
	return rc ? rc : address_request_check(r, purpose, ret_request);
}

/* ---- phone numbers */

int address_request_remote(struct req *r, struct address_remote *ret_remote)
{
	const char *name = jstr(r->body, "id_server");

	if (!name)
		return mx_fail(&r->err, MX_MEDIUM_NOT_SUPPORTED,
			       "This homeserver sends text messages through an identity server "
			       "only");
	ret_remote->token = jstr(r->body, "id_access_token");
	if (!ret_remote->token)
		return mx_fail(&r->err, MX_MISSING_PARAM, "Missing: id_access_token");
	return id_server_find(r->app, name, &ret_remote->server, &r->err);
}

int address_request_msisdn(struct req *r, enum address_purpose purpose,
			   struct validation_request *ret_request, struct phone *ret_phone)
{
	bool vain;
	int rc = read_request(r, purpose, ret_request);

	if (rc == 0)
		rc = asking_phone(r, ret_phone);
	if (rc == -MX_INVALID_ADDRESS)
		return mx_fail(&r->err, MX_INVALID_PARAM, "The phone number is not valid");
	if (rc)
		return rc;
	ret_request->session.threepid = (struct threepid){ "msisdn", ret_phone->msisdn };
	ret_request->session.address_as_sent = "";
	/* In vain or not: the person with the phone gets the same message, and only they learn it
	 * in the end. */
	return check_use(r, purpose, &ret_request->session.threepid, &vain);
}
