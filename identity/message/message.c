#include "identity/message/message.h"

#include "identity/identity.h"
#include "identity/identity_conf.h"
#include "identity/suppress/suppression.h"
#include "shared/core/error.h"
#include "shared/http/request.h"
#include "shared/mail/address.h"
#include "shared/mail/letter_page.h"
#include "shared/mail/mailer.h"
#include "shared/mail/trial.h"

struct letterhead message_letterhead(const struct identity *identity)
{
	const struct identity_conf *newest = conf_of(identity);

	return (struct letterhead){
		.templates = identity->templates,
		.service_name = identity->conf->server_name,
		.service_url = identity->conf->public_base_url,
		.language = newest->templates.language,
		.from = newest->mail.from,
	};
}

struct letter_style message_style_of(struct identity *identity, struct req *r)
{
	return letter_style_of(identity->templates, r);
}

/* ---- mails */

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
	return TRIAL_LETTER;
}

/* Without its head. */
static struct letter letter_of(const struct identity_call *call, enum message_kind kind,
			       const struct letter_style *style, struct mx_error *err)
{
	return (struct letter){
		.style = style,
		.name = name_of(kind),
		.mem = call->mem,
		.now_ms = call->now_ms,
		.err = err,
	};
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

static int queue_mail(const struct identity_call *call, struct letter *letter,
		      const struct template_values *values, const struct mail_address *to,
		      uint64_t *ret_id)
{
	struct letter_mail mail;
	int rc = letter_write(letter, values, to, &mail);

	if (rc)
		return rc;
	rc = mailer_add(call->identity->mailer, call->txn, to, &mail.mail, ret_id, letter->err);
	eml_done(&mail.eml);
	return rc;
}

int message_mail(const struct identity_call *call, enum message_kind kind,
		 const struct letter_style *style, const char *to,
		 const struct template_values *values, uint64_t *ret_id, struct mx_error *err)
{
	const struct letterhead head = message_letterhead(call->identity);
	struct letter letter = letter_of(call, kind, style, err);
	struct mail_address address;
	int rc;

	if (!call->identity->mailer)
		return mx_fail(err, MX_EMAIL_SEND_ERROR, "This service sends no e-mails");
	rc = mail_address_parse(mx_slice(to), &address, err);
	if (rc)
		return rc;
	letter.head = &head;
	rc = check_suppressed(call, &(struct threepid){ "email", address.folded }, err);
	if (rc == 0)
		rc = queue_mail(call, &letter, values, &address, ret_id);
	mail_address_done(&address);
	return rc;
}

/* ---- pages */

int message_page(struct identity *identity, struct req *r, const char *file,
		 const struct template_values *values, int status)
{
	const struct letterhead head = message_letterhead(identity);
	const bool *http = identity->conf->validation.next_link_http;
	const struct letter_page page = { file, *values, status, http && *http };

	return letter_page(&head, r, &page);
}
