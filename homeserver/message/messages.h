/* What the homeserver writes to people: mails and pages from templates, in the brand of the request
 * and the language of the reader. */
#pragma once

#include "shared/mail/letter.h"

#include <stdint.h>

struct budgets;
struct hs;
struct hs_call;
struct hs_conf;
struct mx_error;
struct req;

/* What may be caused by anybody, of a struct budgets. */
enum messages_budget {
	MESSAGES_OF_ASKER, /* an account, or the network of who has none */
	MESSAGES_OF_NETWORK,
	MESSAGES_TO_ADDRESS,
	MESSAGES_TO_ADDRESS_DAY,
	MESSAGES_BUDGETS
};

/* Makes templates, budgets, outbox and mailer, as the configuration says; begins to send. */
int messages_open(struct hs *hs, struct mx_error *err);
/* What is being sent gets a while. */
void messages_stop(struct hs *hs);
void messages_free(struct hs *hs);
/* What fails keeps what it had. */
void messages_reload(struct hs *hs, const struct hs_conf *conf);
/* Of a configuration: -MX_BAD_CONFIG with FILE:LINE for a template that is none. */
int messages_check(const void *conf, struct mx_error *err);
/* For readiness: why no mail can be sent; NULL if it can, or if none is to be. */
const char *messages_why_not(void *hs);

/* Who writes, as it is now. */
struct letterhead messages_letterhead(const struct hs *hs);
/* Of the request. */
struct letter_style messages_style(struct req *r);

struct message {
	const char *name; /* of its templates: "registration" */
	const char *to;
	const struct letter_style *style;
	struct template_values values;
};

/* Queues a mail. *ret_id: its number in the outbox. -MX_EMAIL_SEND_ERROR without a relay. */
int messages_mail(const struct hs_call *call, const struct message *message, uint64_t *ret_id,
		  struct mx_error *err);

/* An HTML page of the templates into the reply, see letter_page.h. */
struct letter_page;
int messages_page(struct req *r, const struct letter_page *page);
