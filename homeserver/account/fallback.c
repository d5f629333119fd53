#include "homeserver/account/fallback.h"

#include "homeserver/account/address_channel.h"
#include "homeserver/account/address_request.h"
#include "homeserver/account/registration_token.h"
#include "homeserver/account/stages.h"
#include "homeserver/call.h"
#include "homeserver/hs.h"
#include "homeserver/hs_conf.h"
#include "homeserver/message/messages.h"
#include "homeserver/routes.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/rand.h"
#include "shared/core/str.h"
#include "shared/http/request.h"
#include "shared/json/json.h"
#include "shared/mail/letter_page.h"

#define VALUES_MAX 24
#define SECRET_LEN 32

/* ---- the values of all pages, and its own */

struct form {
	struct template_value items[VALUES_MAX];
	struct template_values values;
};

static void add(struct form *form, const char *name, const char *value)
{
	if (form->values.len == VALUES_MAX)
		return;
	form->items[form->values.len++] = (struct template_value){ name, value };
	form->values.items = form->items;
}

static void begin(struct form *form, struct req *r, const struct uia_session *session,
		  const char *message)
{
	const struct hs *hs = r->app;

	form->values.len = 0;
	add(form, "action",
	    mx_arena_strf(r->mem, "%s" CLIENT_V3 "/auth/%s/fallback/web", hs->conf->public_base_url,
			  req_param(r, "authType")));
	add(form, "session", session->id);
	add(form, "message", message);
	add(form, "brand", messages_style(r).brand);
}

static int show(struct req *r, const char *file, const struct form *form)
{
	const struct fallback_page shown = { file, &form->values, 200, NULL };

	return fallback_show(r, &shown);
}

/* ---- what has one button, or one field */

static int show_dummy(struct req *r, const struct uia_session *session, const char *message)
{
	struct form form;

	begin(&form, r, session, message);
	return show(r, "fallback_dummy.html", &form);
}

static json_t *read_nothing(struct req *r, const struct uia_session *session)
{
	(void)r;
	(void)session;
	return json_object();
}

static int show_token(struct req *r, const struct uia_session *session, const char *message)
{
	struct form form;

	begin(&form, r, session, message);
	return show(r, "fallback_token.html", &form);
}

static json_t *read_token(struct req *r, const struct uia_session *session)
{
	(void)session;
	return json_pack("{s:s}", "token", jstr_or(r->body, "token", ""));
}

static int show_password(struct req *r, const struct uia_session *session, const char *message)
{
	struct form form;

	begin(&form, r, session, message);
	add(&form, "user_id", session->user);
	return show(r, "fallback_password.html", &form);
}

static json_t *read_password(struct req *r, const struct uia_session *session)
{
	return json_pack("{s:{s:s, s:s}, s:s}", "identifier", "type", "m.id.user", "user",
			 session->user, "password", jstr_or(r->body, "password", ""));
}

/* ---- documents */

static const struct terms_language *language_of(const struct terms_document *document,
						const char *wanted)
{
	const struct terms_language *chosen = &document->languages[0];

	for (unsigned i = 0; i < document->languages_count; i++) {
		if (wanted && streq(document->languages[i].language, wanted))
			return &document->languages[i];
		if (streq(document->languages[i].language, "en"))
			chosen = &document->languages[i];
	}
	return chosen;
}

static int show_terms(struct req *r, const struct uia_session *session, const char *message)
{
	const struct terms_conf *conf = &conf_of(r->app)->terms;
	const char *language = messages_style(r).language;
	struct form form;

	begin(&form, r, session, message);
	for (unsigned i = 0; i < conf->documents_count; i++) {
		const struct terms_language *text = language_of(&conf->documents[i], language);

		add(&form, mx_arena_strf(r->mem, "name%u", i + 1), text->name);
		add(&form, mx_arena_strf(r->mem, "url%u", i + 1), text->url);
	}
	return show(r, "fallback_terms.html", &form);
}

/* ---- the riddle */

/* "https://host[:port]" of a URL that the configuration's check took. */
static const char *origin_of(const char *url, struct mx_arena *mem)
{
	size_t scheme = (size_t)(strstr(url, "://") - url) + 3;

	return mx_arena_strf(mem, "%.*s", (int)(scheme + strcspn(url + scheme, "/")), url);
}

static int show_recaptcha(struct req *r, const struct uia_session *session, const char *message)
{
	const struct recaptcha_conf *conf = &conf_of(r->app)->recaptcha;
	const char *origin;
	struct form form;
	struct fallback_page shown = { "fallback_recaptcha.html", &form.values, 200, NULL };

	begin(&form, r, session, message);
	add(&form, "site_key", conf->site_key);
	add(&form, "script_url", conf->script_url);
	origin = origin_of(conf->script_url, r->mem);
	shown.policy = mx_arena_strf(r->mem,
				     "; script-src %s https://www.gstatic.com/recaptcha/; "
				     "frame-src %s; connect-src %s",
				     origin, origin, origin);
	return fallback_show(r, &shown);
}

static json_t *read_recaptcha(struct req *r, const struct uia_session *session)
{
	(void)session;
	return json_pack("{s:s}", "response", jstr_or(r->body, "g-recaptcha-response", ""));
}

/* ---- an address: first which, then the mail */

static int show_mailed(struct req *r, const struct uia_session *session, const char *message)
{
	struct form form;

	begin(&form, r, session, message);
	add(&form, "sid", jstr(r->body, "sid"));
	add(&form, "client_secret", jstr(r->body, "client_secret"));
	return show(r, "fallback_mailed.html", &form);
}

static int show_email(struct req *r, const struct uia_session *session, const char *message)
{
	struct form form;

	if (jstr(r->body, "sid"))
		return show_mailed(r, session, message);
	begin(&form, r, session, *message ? message : jstr_or(r->body, "refused", ""));
	return show(r, "fallback_email.html", &form);
}

static int ask_mail(struct req *r, const char *address)
{
	const struct validator validator = address_validator(r->app);
	struct validation_request request = {
		.channel = address_channel(ADDRESS_TO_REGISTER),
		.style = messages_style(r),
		.client = r->client,
		.session = { .address_as_sent = address, .send_attempt = 1 },
	};
	const struct hs *hs = r->app;
	char secret[SECRET_LEN + 1];
	struct validation begun;
	int rc = address_request_check(r, ADDRESS_TO_REGISTER, &request);

	if (rc == 0 && !hs->mailer)
		rc = mx_fail(&r->err, MX_MEDIUM_NOT_SUPPORTED, "No e-mails are sent here");
	if (rc)
		return rc;
	mx_random_token(secret, SECRET_LEN);
	request.session.client_secret = secret;
	rc = validation_begin(&validator, &request, r->mem, &begun, &r->err);
	if (rc)
		return rc;
	json_object_set_new(r->body, "sid", json_string(begun.id));
	json_object_set_new(r->body, "client_secret", json_string(secret));
	return 0;
}

static json_t *read_email(struct req *r, const struct uia_session *session)
{
	const char *address = jstr(r->body, "email");
	int rc;

	(void)session;
	if (jstr(r->body, "sid"))
		return json_pack("{s:{s:s, s:s}}", "threepid_creds", "sid", jstr(r->body, "sid"),
				 "client_secret", jstr_or(r->body, "client_secret", ""));
	rc = address ? ask_mail(r, address) : 0;
	if (rc)
		json_object_set_new(r->body, "refused", json_string(mx_error_text(&r->err, rc)));
	return NULL;
}

/* ---- */

static const struct fallback fallbacks[] = {
	{ "m.login.dummy", show_dummy, read_nothing },
	{ "m.login.password", show_password, read_password },
	{ UIA_REGISTRATION_TOKEN, show_token, read_token },
	{ STAGE_TERMS, show_terms, read_nothing },
	{ STAGE_RECAPTCHA, show_recaptcha, read_recaptcha },
	{ STAGE_EMAIL, show_email, read_email },
};

const struct fallback *fallback_find(const char *type)
{
	for (size_t i = 0; i < sizeof(fallbacks) / sizeof(fallbacks[0]); i++)
		if (streq(fallbacks[i].type, type) && uia_stage_find(type))
			return &fallbacks[i];
	return NULL;
}

int fallback_show(struct req *r, const struct fallback_page *page)
{
	const struct letter_page shown = {
		.file = page->file,
		.values = *page->values,
		.status = page->status,
		.policy = page->policy,
	};

	return messages_page(r, &shown);
}

int fallback_done(struct req *r)
{
	static const struct template_value script = { "script", FALLBACK_DONE_SCRIPT };
	static const struct template_values values = { &script, 1 };
	const struct fallback_page page = { "fallback_done.html", &values, 200,
					    "; script-src 'self'" };

	return fallback_show(r, &page);
}

/* A file of its own, because no page may run what stands in it. */
int fallback_script(struct req *r, const char *file)
{
	static const struct template_values none = { 0 };
	const struct hs *hs = r->app;
	struct mx_str text = { 0 };
	size_t len;
	int rc = template_render(hs->templates, NULL, NULL, file, &none, &text, &r->err);

	if (rc) {
		mx_str_done(&text);
		return rc;
	}
	len = text.len;
	reply_owned(r, "text/javascript; charset=utf-8", mx_str_steal(&text), len);
	reply_header(r, "X-Content-Type-Options", "nosniff");
	reply_header(r, "Cache-Control", "public, max-age=3600");
	return 0;
}
