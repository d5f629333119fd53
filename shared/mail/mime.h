/* A message as bytes for SMTP. RFC 5322, 2045–2047. */
#pragma once

#include "shared/core/str.h"

#include <stdint.h>

struct mx_error;

#define MAIL_ID_MAX 320 /* with its NUL */

struct mail {
	const char *from; /* "Name <address>" or an address: of the configuration */
	const char *to; /* the envelope form of a struct mail_address */
	const char *subject; /* any text; encoded as needed, line breaks are refused */
	const char *text; /* the plain part, UTF-8; never NULL */
	const char *html; /* the HTML part; NULL = none */
	const char *list_unsubscribe; /* a URL; NULL = none */
	const char *language; /* "de": Content-Language; NULL = none */
};

/*
 * Appends headers (From, To, Subject, Date, Message-ID of From's domain, MIME-Version,
 * Auto-Submitted: auto-generated) and body. Lines end with CRLF and have at most 78 octets besides
 * long header values; text is quoted-printable; the boundary is random. ret_id gets the
 * Message-ID. -MX_INVALID_PARAM for a header value with controls.
 */
int mail_format(const struct mail *mail, int64_t now_ms, struct mx_str *out,
		char ret_id[MAIL_ID_MAX], struct mx_error *err);

/* The address of "Name <address>", for the envelope. Borrows. */
struct mx_slice mail_from_address(const char *from);
