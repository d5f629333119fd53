/* Mails through the outbox: at most one copy of each leaves, whatever fails. */
#pragma once

#include "shared/mail/mime.h"
#include "shared/mail/smtp.h"
#include "shared/outbox/outbox.h"

struct mailer;
struct mail_address;

struct mailer_conf {
	struct smtp_conf smtp; /* copied */
	const char *from; /* "Trinity <id@example.org>" */
	unsigned per_domain; /* mails at once to one domain; 0 = 2 */
	int64_t domain_pause_ms; /* between two mails to one domain; 0 = 200 */
	int64_t give_up_ms; /* 0 = 1 day */
};

/* -MX_BAD_CONFIG if `from` is no address. */
int mailer_new(const struct mailer_conf *conf, struct mailer **ret_mailer, struct mx_error *err);
/* New configuration while running; what is being sent goes on with the old one. */
int mailer_set(struct mailer *mailer, const struct mailer_conf *conf, struct mx_error *err);
void mailer_free(struct mailer *mailer);

/* The kind "mail" for outbox_new(); the outbox must be given back with mailer_use(). */
struct outbox_kind mailer_kind(struct mailer *mailer);
void mailer_use(struct mailer *mailer, struct outbox *outbox);

/* Formats and queues; mail->from is the mailer's if NULL. Goes when txn is committed. */
int mailer_add(struct mailer *mailer, struct store_txn *txn, const struct mail_address *to,
	       const struct mail *mail, uint64_t *ret_id, struct mx_error *err);

/* To whom a mail that waits in the outbox goes, by the payload of its item: as the envelope has
 * it, owned by the caller. NULL if it is none. */
char *mailer_recipient(struct mx_slice payload);

/* At once, without the outbox and without a second try, for an operator's test; waits. trace may
 * be NULL. */
enum outbox_result mailer_send(struct mailer *mailer, const struct mail_address *to,
			       const struct mail *mail, struct smtp_trace *trace,
			       struct mx_error *err);

/* Looks after the relay from now on: see relay_watch.h. */
void mailer_watch(struct mailer *mailer);
/* A probe under way is cut short. */
void mailer_watch_stop(struct mailer *mailer);

/* Whether the last mails or the last probe found the relay in order; why not otherwise. For
 * readiness. */
bool mailer_is_well(struct mailer *mailer, char ret_why_not[256]);
