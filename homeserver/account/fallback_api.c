/* Pages for people whose client does not know a stage, or how to log in at all. Spec: client-server
 * API, "Fallback" of "User-Interactive Authentication API", "Login Fallback". */
#include "homeserver/account/fallback.h"
#include "homeserver/account/stages.h"
#include "homeserver/account/uia.h"
#include "homeserver/call.h"
#include "homeserver/hs.h"
#include "homeserver/message/messages.h"
#include "homeserver/routes.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/http/request.h"
#include "shared/json/json.h"
#include "shared/mail/template.h"
#include "shared/store/store.h"

/* What is wrong with the session is the same for all pages: nothing of it is repeated. */
static int show_gone(struct req *r)
{
	static const struct template_values none = { 0 };
	const struct fallback_page page = { "fallback_gone.html", &none, 404, NULL };

	return fallback_show(r, &page);
}

static int load(struct req *r, const char *id, struct uia_session *ret_session)
{
	const struct hs_call call = call_of(r);

	return id ? uia_load(&call, id, ret_session) : -MX_NOT_FOUND;
}

static int get_page(struct req *r)
{
	const struct fallback *fallback = fallback_find(req_param(r, "authType"));
	uia_session_auto session = { 0 };
	int rc = fallback ? load(r, req_query(r, "session"), &session) : -MX_NOT_FOUND;

	if (rc == -MX_NOT_FOUND)
		return show_gone(r);
	if (rc)
		return rc;
	if (uia_result(&session, fallback->type))
		return fallback_done(r);
	return fallback->show(r, &session, "");
}

/* What is right completes the stage, what is wrong shows the page again. */
static int attempt(struct req *r, const struct fallback *fallback, struct uia_session *session)
{
	const struct uia_stage *stage = uia_stage_find(fallback->type);
	const struct hs_call call = call_of(r);
	json_auto_t *auth = fallback->read(r, session);
	json_t *result = NULL;
	int rc = 0;

	if (!auth)
		return fallback->show(r, session, "");
	/* The stage asks whether it is who began the session; that is shown by its secret name. */
	if (session->user[0])
		r->user = session->user;
	rc = stage->attempt(r, session, auth, &result);
	if (rc == 0) {
		uia_complete(&call, session, fallback->type, result);
		return fallback_done(r);
	}
	if (rc == -MX_PARK || mx_errc((enum mx_code) - rc)->status >= 500)
		return rc;
	return fallback->show(r, session, mx_error_text(&r->err, rc));
}

static int post_page(struct req *r)
{
	const struct fallback *fallback = fallback_find(req_param(r, "authType"));
	uia_session_auto session = { 0 };
	int rc = fallback ? load(r, jstr(r->body, "session"), &session) : -MX_NOT_FOUND;

	if (rc == -MX_NOT_FOUND)
		return show_gone(r);
	if (rc)
		return rc;
	if (uia_result(&session, fallback->type))
		return fallback_done(r);
	return attempt(r, fallback, &session);
}

/* ---- log-in */

static int get_login(struct req *r)
{
	static const struct template_values none = { 0 };
	const struct fallback_page page = { "login.html", &none, 200,
					    "; script-src 'self'; connect-src 'self'" };

	return fallback_show(r, &page);
}

static int get_login_script(struct req *r)
{
	return fallback_script(r, "login.js");
}

static int get_done_script(struct req *r)
{
	return fallback_script(r, "auth_done.js");
}

#define FALLBACK CLIENT_V3 "/auth/{authType}/fallback/web"
#define LOGIN    "/_matrix/static/client/login"

const struct route fallback_routes[] = {
	{ GET, FALLBACK, get_page, .limit = LIMIT_READ, .txn = TXN_READ,
	  .reply = "client/page.reply" },
	{ POST, FALLBACK, post_page, .limit = LIMIT_LOGIN, .txn = TXN_WRITE, .flags = ROUTE_FORM,
	  .body = "client/fallback", .reply = "client/page.reply" },
	{ GET, LOGIN, get_login, .limit = LIMIT_READ, .flags = ROUTE_SLASH,
	  .reply = "client/page.reply" },
	{ GET, LOGIN "/login.js", get_login_script, .limit = LIMIT_READ,
	  .reply = "client/page.reply" },
	{ GET, FALLBACK_DONE_SCRIPT, get_done_script, .limit = LIMIT_READ,
	  .reply = "client/page.reply" },
	{ 0 },
};
