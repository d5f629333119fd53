/* One message to one relay, by libcurl. RFC 5321, 3207, 8314, 4954. */
#pragma once

#include "shared/core/slice.h"
#include "shared/outbox/outbox.h"

#include <stdbool.h>
#include <stdint.h>

struct mx_error;
struct smtp_trace;

enum smtp_tls {
	SMTP_STARTTLS, /* required: without it nothing is sent */
	SMTP_IMPLICIT, /* TLS from the first byte */
	SMTP_PLAIN, /* for a relay on this machine */
};

/* Borrowed strings, all from the configuration. */
struct smtp_conf {
	const char *host; /* an address or a name: the operator's own relay, so no address filter */
	uint16_t port; /* 0 = 587, 465 or 25 by tls */
	enum smtp_tls tls;
	const char *user, *password; /* NULL = no authentication */
	const char *hello; /* name in EHLO; NULL = the host's */
	const char *ca_file; /* NULL = the system's */
	int64_t connect_ms; /* 0 = 10 s */
	int64_t total_ms; /* 0 = 60 s */
};

struct smtp_message {
	const char *from, *to; /* envelope addresses */
	bool needs_utf8; /* without SMTPUTF8 on the other side: REFUSED */
	struct mx_slice bytes; /* of mail_format() */
	/* Called once, just before the final dot is sent; not 0 = do not send it. May be NULL. */
	int (*before_end)(void *ctx);
	void *ctx;
	const _Atomic bool *hurry; /* true: give up, AGAIN if that is still possible. May be NULL */
	struct smtp_trace *trace; /* gets the course of it; may be NULL */
};

/*
 * Waits. SENT: the relay took it. AGAIN: 4xx, no connection, bad certificate, wrong password, a
 * relay that turns us away, any other failure before the final dot. REFUSED: 5xx to the message or
 * its addresses. UNSURE: the final dot was sent and no reply
 * came. err has the relay's words, without addresses.
 */
enum outbox_result smtp_send(const struct smtp_conf *conf, const struct smtp_message *message,
			     struct mx_error *err);

/* Connects, greets, authenticates, quits: whether mail could be sent now. 0 or -MX_REMOTE_….
 * hurry: true = give up; may be NULL. */
int smtp_probe(const struct smtp_conf *conf, const _Atomic bool *hurry, struct mx_error *err);

/* Appends a line of a relay without the addresses in it: those of people stay out of logs. */
struct mx_str;
void smtp_words(struct mx_slice line, struct mx_str *out);
