#include "homeserver/message/messages.h"

#include "homeserver/call.h"
#include "homeserver/hs.h"
#include "homeserver/hs_conf.h"
#include "homeserver/message/texts.h"
#include "shared/core/error.h"
#include "shared/daemon/daemon.h"
#include "shared/http/request.h"
#include "shared/mail/address.h"
#include "shared/mail/letter_page.h"
#include "shared/mail/mailer.h"
#include "shared/outbox/outbox.h"
#include "shared/threepid/budgets.h"

#define OUTBOX_GRACE_MS 3000

static const char *const budget_names[MESSAGES_BUDGETS] = {
	[MESSAGES_OF_ASKER] = "mail_asker",
	[MESSAGES_OF_NETWORK] = "mail_network",
	[MESSAGES_TO_ADDRESS] = "mail_address",
	[MESSAGES_TO_ADDRESS_DAY] = "mail_address_day",
};

/* ---- life */

static void read_rates(const struct hs_conf *conf, struct budget_rate rates[MESSAGES_BUDGETS])
{
	rates[MESSAGES_OF_ASKER] = budget_rate_of(&conf->limits.mail_asker);
	rates[MESSAGES_OF_NETWORK] = budget_rate_of(&conf->limits.mail_network);
	rates[MESSAGES_TO_ADDRESS] = budget_rate_of(&conf->limits.mail_address);
	rates[MESSAGES_TO_ADDRESS_DAY] = budget_rate_of(&conf->limits.mail_address_day);
}

static struct budgets *open_budgets(const struct hs *hs)
{
	struct budget_rate rates[MESSAGES_BUDGETS];
	const struct budgets_conf conf = {
		.names = budget_names,
		.kinds = MESSAGES_BUDGETS,
		.rates = rates,
		.metrics = hs->metrics,
		.metric = "homeserver_budget_refusals_total",
	};

	read_rates(hs->conf, rates);
	return budgets_new(&conf);
}

static int open_outbox(struct hs *hs, struct mx_error *err)
{
	struct outbox_kind kinds[1];
	struct outbox_conf conf = {
		.store = hs->store,
		.kinds = kinds,
		.metrics = hs->metrics,
	};
	int rc;

	if (hs->mailer)
		kinds[conf.kinds_len++] = mailer_kind(hs->mailer);
	rc = outbox_new(&conf, &hs->outbox, err);
	if (rc == 0 && hs->mailer)
		mailer_use(hs->mailer, hs->outbox);
	return rc;
}

int messages_open(struct hs *hs, struct mx_error *err)
{
	int rc = texts_load(hs->conf, &hs->templates, err);

	hs->budgets = open_budgets(hs);
	if (rc == 0 && hs->conf->mail.relay)
		rc = mail_conf_apply(&hs->conf->mail, hs->conf->server_name, &hs->mailer, err);
	if (rc == 0)
		rc = open_outbox(hs, err);
	if (rc)
		return rc;
	outbox_start(hs->outbox);
	if (hs->mailer)
		mailer_watch(hs->mailer);
	return 0;
}

void messages_stop(struct hs *hs)
{
	if (hs->mailer)
		mailer_watch_stop(hs->mailer);
	if (hs->outbox)
		outbox_stop(hs->outbox, OUTBOX_GRACE_MS);
}

void messages_free(struct hs *hs)
{
	outbox_free(hs->outbox);
	mailer_free(hs->mailer);
	budgets_free(hs->budgets);
	template_set_free(hs->templates);
}

void messages_reload(struct hs *hs, const struct hs_conf *conf)
{
	struct budget_rate rates[MESSAGES_BUDGETS];
	struct mx_error err = { 0 };

	read_rates(conf, rates);
	budgets_set(hs->budgets, rates);
	/* It has been tried already: only a file that changed since can be wrong. */
	if (texts_load(conf, &hs->templates, &err))
		daemon_part_stays("templates", &err);
	if (!hs->mailer != !conf->mail.relay)
		daemon_key_waits("mail.relay");
	else if (hs->mailer &&
		 mail_conf_apply(&conf->mail, hs->conf->server_name, &hs->mailer, &err))
		daemon_part_stays("mail", &err);
}

int messages_check(const void *conf, struct mx_error *err)
{
	struct template_set *set = NULL;
	int rc = texts_load(conf, &set, err);

	template_set_free(set);
	return rc;
}

const char *messages_why_not(void *ctx)
{
	static _Thread_local char why[256]; /* until the thread asks again */
	const struct hs *hs = ctx;

	if (!hs->mailer || mailer_is_well(hs->mailer, why))
		return NULL;
	return why;
}

/* ---- writing */

struct letterhead messages_letterhead(const struct hs *hs)
{
	const struct hs_conf *newest = conf_of(hs);

	return (struct letterhead){
		.templates = hs->templates,
		.service_name = hs->conf->server_name,
		.service_url = hs->conf->public_base_url,
		.language = newest->templates.language,
		.from = newest->mail.from,
	};
}

struct letter_style messages_style(struct req *r)
{
	const struct hs *hs = r->app;

	return letter_style_of(hs->templates, r);
}

static int queue_mail(const struct hs_call *call, const struct message *message,
		      const struct mail_address *to, uint64_t *ret_id, struct mx_error *err)
{
	const struct letterhead head = messages_letterhead(call->hs);
	struct letter letter = {
		.head = &head,
		.style = message->style,
		.name = message->name,
		.mem = call->mem,
		.now_ms = call->now_ms,
		.err = err,
	};
	struct letter_mail mail;
	int rc = letter_write(&letter, &message->values, to, &mail);

	if (rc)
		return rc;
	rc = mailer_add(call->hs->mailer, call->txn, to, &mail.mail, ret_id, err);
	eml_done(&mail.eml);
	return rc;
}

int messages_mail(const struct hs_call *call, const struct message *message, uint64_t *ret_id,
		  struct mx_error *err)
{
	struct mail_address to;
	int rc;

	if (!call->hs->mailer)
		return mx_fail(err, MX_EMAIL_SEND_ERROR, "This homeserver sends no e-mails");
	rc = mail_address_parse(mx_slice(message->to), &to, err);
	if (rc)
		return rc;
	rc = queue_mail(call, message, &to, ret_id, err);
	mail_address_done(&to);
	return rc;
}

int messages_page(struct req *r, const struct letter_page *page)
{
	const struct hs *hs = r->app;
	const struct letterhead head = messages_letterhead(hs);

	return letter_page(&head, r, page);
}
