/* What the service writes to people: mails and text messages from templates, in the brand of the
 * request and the language of the reader. */
#pragma once

#include "shared/mail/letter.h"
#include "shared/outbox/outbox.h"
#include "shared/threepid/threepid.h"

#include <stdbool.h>
#include <stdint.h>

struct identity;
struct identity_call;
struct mx_error;
struct req;
struct store_txn;

/* As it is now. */
struct letterhead message_letterhead(const struct identity *identity);
struct letter_style message_style_of(struct identity *identity, struct req *r);

enum message_kind {
	MESSAGE_VERIFICATION, /* link, token, ipaddress, … */
	MESSAGE_INVITE,
	MESSAGE_BOUND, /* to the owner: somebody bound this address */
	MESSAGE_UNBOUND,
	MESSAGE_REBOUND, /* the address now belongs to another user */
	MESSAGE_TEST /* of mail_trial() */
};

/* Queues the mail of letter_write(). *ret_id: its number in the outbox. -MX_EMAIL_SEND_ERROR for a
 * suppressed address, in the words of one that the relay refused. */
int message_mail(const struct identity_call *call, enum message_kind kind,
		 const struct letter_style *style, const char *to,
		 const struct template_values *values, uint64_t *ret_id, struct mx_error *err);

/* In the default brand and language, at once and without the outbox; waits. */
enum outbox_result message_test_sms(const struct identity_call *call, const char *msisdn,
				    struct mx_error *err);

/* A text message with the token, by the transports of sms.h. -MX_SEND_ERROR for a suppressed
 * number. */
int message_sms(const struct identity_call *call, const char *msisdn,
		const struct letter_style *style, const char *token, uint64_t *ret_id,
		struct mx_error *err);

/* letter_page() of this service. */
int message_page(struct identity *identity, struct req *r, const char *file,
		 const struct template_values *values, int status);
