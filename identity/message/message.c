#include "identity/message/message.h"

#include "identity/identity.h"
#include "identity/identity_conf.h"
#include "identity/message/eml.h"
#include "identity/message/letter.h"
#include "identity/suppress/suppression.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/http/request.h"
#include "shared/json/json.h"
#include "shared/mail/address.h"
#include "shared/mail/mailer.h"

#define HOST_MAX 255

#define PAGE_POLICY                                                \
	"default-src 'none'; style-src 'self' 'unsafe-inline'; "   \
	"img-src 'self' data:; font-src 'self'; base-uri 'none'; " \
	"frame-ancestors 'none'; form-action 'self' https:"

/* ---- brand and language */

static const char *brand_of_host(struct identity *identity, struct req *r)
{
	const char *host = req_header(r, "Host");
	char *name;

	if (!host || strlen(host) > HOST_MAX)
		return NULL;
	name = mx_arena_strdup(r->mem, host);
	name[strcspn(name, ":")] = '\0';
	return template_has_brand(identity->templates, name) ? name : NULL;
}

struct message_style message_style_of(struct identity *identity, struct req *r)
{
	const char *brand = req_query(r, "brand");

	if (!brand && r->body)
		brand = jstr(r->body, "brand");
	if (!brand || !template_has_brand(identity->templates, brand))
		brand = brand_of_host(identity, r);
	return (struct message_style){
		.brand = brand,
		.language = template_language(identity->templates,
					      req_header(r, "Accept-Language")),
	};
}

/* ---- mails */

/* Whole messages know it by another name. */
static int add_subject(struct letter *letter)
{
	mx_autofree char *file = mx_strf("%s.subject", letter->name);
	mx_str_auto rendered = { 0 };
	int rc = letter_render(letter, file, &rendered);
	const char *subject;

	if (rc)
		return rc;
	letter_tidy(&rendered);
	subject = mx_arena_strdup(letter->call->mem, rendered.ptr ? rendered.ptr : "");
	letter_add(letter, "subject", subject);
	letter_add(letter, "subject_header_value", subject);
	return 0;
}

/* -MX_NOT_FOUND unless the operator has a whole message of the older kinds. */
static int read_whole(const struct letter *letter, struct eml *ret_eml)
{
	static const char *const ends[] = { "eml.j2", "eml" };

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		mx_autofree char *file = mx_strf("%s_template.%s", letter->name, ends[i]);
		mx_str_auto message = { 0 };
		int rc = letter_render(letter, file, &message);

		if (rc == 0)
			eml_read(mx_str_slice(&message), letter->boundary, ret_eml);
		if (rc != -MX_NOT_FOUND)
			return rc;
	}
	return -MX_NOT_FOUND;
}

static int read_files(struct letter *letter, struct eml *ret_eml)
{
	mx_autofree char *text_file = mx_strf("%s.txt", letter->name);
	mx_autofree char *html_file = mx_strf("%s.html", letter->name);
	mx_str_auto text = { 0 };
	mx_str_auto html = { 0 };
	int rc = letter_render(letter, text_file, &text);

	if (rc == 0)
		rc = letter_html(letter, html_file, "mail", &html);
	if (rc)
		return rc;
	*ret_eml = (struct eml){ mx_strdup(letter_value(letter, "subject")), mx_str_steal(&text),
				 mx_str_steal(&html) };
	return 0;
}

static const char *name_of(enum message_kind kind)
{
	switch (kind) {
	case MESSAGE_VERIFICATION: return "verification";
	case MESSAGE_INVITE: return "invite";
	case MESSAGE_BOUND: return "bound";
	case MESSAGE_UNBOUND: return "unbound";
	case MESSAGE_REBOUND: return "rebound";
	case MESSAGE_TEST: break;
	}
	return "test";
}

static void tidy_subject(struct eml *eml)
{
	struct mx_str subject = { 0 };

	mx_str_add_text(&subject, eml->subject);
	letter_tidy(&subject);
	mx_free(eml->subject);
	eml->subject = mx_str_steal(&subject);
}

/* Borrows what the letter and eml have. */
static struct mail mail_of(const struct letter *letter, const struct eml *eml)
{
	return (struct mail){
		.subject = eml->subject,
		.text = eml->text ? eml->text : "",
		.html = eml->html,
		.list_unsubscribe = letter_value(letter, "list_unsubscribe"),
		.language = letter_value(letter, "language"),
	};
}

static int write_mail(struct letter *letter, const struct template_values *values,
		      const struct mail_address *to, struct eml *ret_eml)
{
	int rc;

	letter_add(letter, "to", to->envelope);
	letter_begin(letter, values);
	rc = add_subject(letter);
	if (rc == 0)
		rc = read_whole(letter, ret_eml);
	if (rc == -MX_NOT_FOUND)
		rc = read_files(letter, ret_eml);
	if (rc == 0)
		tidy_subject(ret_eml);
	return rc;
}

static int queue_mail(struct letter *letter, const struct template_values *values,
		      const struct mail_address *to, uint64_t *ret_id)
{
	const struct identity_call *call = letter->call;
	struct eml eml = { 0 };
	struct mail mail;
	int rc = write_mail(letter, values, to, &eml);

	if (rc)
		return rc;
	mail = mail_of(letter, &eml);
	rc = mailer_add(call->identity->mailer, call->txn, to, &mail, ret_id, letter->err);
	eml_done(&eml);
	return rc;
}

static int check_suppressed(const struct identity_call *call, const struct threepid *to,
			    struct mx_error *err)
{
	struct suppression suppression;
	int rc = suppression_find(call, to, &suppression);

	if (rc == -MX_NOT_FOUND)
		return 0;
	return rc ? rc
		  : mx_fail(err, MX_EMAIL_SEND_ERROR, "%s", mx_errc(MX_EMAIL_SEND_ERROR)->text);
}

int message_mail(const struct identity_call *call, enum message_kind kind,
		 const struct message_style *style, const char *to,
		 const struct template_values *values, uint64_t *ret_id, struct mx_error *err)
{
	struct letter letter = { .call = call, .style = style, .name = name_of(kind), .err = err };
	struct mail_address address;
	int rc;

	if (!call->identity->mailer)
		return mx_fail(err, MX_EMAIL_SEND_ERROR, "This service sends no e-mails");
	rc = mail_address_parse(mx_slice(to), &address, err);
	if (rc)
		return rc;
	rc = check_suppressed(call, &(struct threepid){ "email", address.folded }, err);
	if (rc == 0)
		rc = queue_mail(&letter, values, &address, ret_id);
	mail_address_done(&address);
	return rc;
}

enum outbox_result message_test_mail(const struct identity_call *call,
				     const struct mail_address *to, struct smtp_trace *trace,
				     struct mx_error *err)
{
	static const struct message_style style = { 0 };
	static const struct template_values none = { 0 };
	struct letter letter = {
		.call = call, .style = &style, .name = name_of(MESSAGE_TEST), .err = err
	};
	enum outbox_result result;
	struct eml eml = { 0 };
	struct mail mail;

	if (write_mail(&letter, &none, to, &eml))
		return OUTBOX_REFUSED;
	mail = mail_of(&letter, &eml);
	result = mailer_send(call->identity->mailer, to, &mail, trace, err);
	eml_done(&eml);
	return result;
}

/* ---- pages */

/* Links of pages lead anywhere, forms only here and from here on to where a next_link may lead:
 * that is a redirect, and browsers apply form-action to those too. */
static const char *page_policy(const struct identity *identity)
{
	const bool *http = identity->conf->validation.next_link_http;

	return http && *http ? PAGE_POLICY " http:" : PAGE_POLICY;
}

static void set_page_headers(const struct identity *identity, struct req *r, int status)
{
	reply_header(r, "Content-Security-Policy", page_policy(identity));
	reply_header(r, "Referrer-Policy", "no-referrer");
	reply_header(r, "X-Content-Type-Options", "nosniff");
	reply_header(r, "Cache-Control", "no-store");
	reply_header(r, "Vary", "Accept-Language");
	reply_status(r, status);
}

static int add_title(struct letter *letter, const char *file)
{
	mx_autofree char *title_file = mx_strf("%.*s.title", (int)strcspn(file, "."), file);
	mx_str_auto title = { 0 };
	int rc = letter_render(letter, title_file, &title);

	if (rc)
		return rc;
	letter_tidy(&title);
	letter_add(letter, "title", mx_arena_strdup(letter->call->mem, title.ptr ? title.ptr : ""));
	return 0;
}

/* A whole page of the older kind, for what follows the button; its only value is `message`. */
static int read_old_page(struct letter *letter, const char *file, struct mx_str *page)
{
	if (streq(file, "verify.html"))
		return -MX_NOT_FOUND;
	letter_add(letter, "message", letter_value(letter, "title"));
	return letter_render(letter, "verify_response_template.html", page);
}

int message_page(struct identity *identity, struct req *r, const char *file,
		 const struct template_values *values, int status)
{
	const struct message_style style = message_style_of(identity, r);
	const struct identity_call call = { .identity = identity, .mem = r->mem };
	struct letter letter = { .call = &call, .style = &style, .err = &r->err };
	struct mx_str page = { 0 };
	size_t len;
	int rc;

	letter_begin(&letter, values);
	rc = add_title(&letter, file);
	if (rc == 0)
		rc = read_old_page(&letter, file, &page);
	if (rc == -MX_NOT_FOUND)
		rc = letter_html(&letter, file, "page", &page);
	if (rc) {
		mx_str_done(&page);
		return rc;
	}
	len = page.len;
	reply_owned(r, "text/html; charset=utf-8", mx_str_steal(&page), len);
	set_page_headers(identity, r, status);
	return 0;
}
