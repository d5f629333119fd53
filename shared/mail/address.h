/* E-mail addresses: what may be sent to, and the form that is compared. RFC 5321, RFC 6531;
 * Spec: appendices, "3PID Types": "m.id.email". */
#pragma once

#include "shared/core/slice.h"

struct mx_error;

#define MAIL_ADDRESS_MAX 254 /* octets */
#define MAIL_LOCAL_MAX   64

struct mail_address {
	char *folded; /* full Unicode case folding of the whole: the canonical form */
	char *envelope; /* as it came, the domain as A-labels: for SMTP */
	char *domain; /* A-labels, lower case: throttles and rules go by it */
	bool needs_utf8; /* the local part is not ASCII: SMTPUTF8 */
};

/*
 * One address and nothing around it: local part, "@", domain of at least two labels, no address
 * literal, no comment, no blank or control character, no quoted local part. -MX_INVALID_EMAIL
 * with the reason.
 */
int mail_address_parse(struct mx_slice text, struct mail_address *ret_address,
		       struct mx_error *err);
void mail_address_done(struct mail_address *address);
