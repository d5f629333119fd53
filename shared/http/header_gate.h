/* The first gate: refuses requests whose framing two parsers could read in two ways. RFC 9112,
 * 3.2, 5.1, 6.1–6.3. What it lets pass has one length, one host and one authorization. */
#pragma once

#include "shared/core/slice.h"

#include <stdbool.h>
#include <stdint.h>

struct mx_error;

/* What the dispatcher asks of the headers; slices borrow the library's buffer, which stays until
 * the request's end. Absent: ptr NULL. */
struct head {
	struct mx_slice host, authorization, content_type, content_encoding, forwarded_for;
	struct mx_slice content_length, transfer_encoding;
	bool expects; /* Expect: 100-continue */
	bool repeated; /* a header that must be single came again */
	bool malformed; /* a name that is no token, a value with controls */
};

void head_add(struct head *head, struct mx_slice name, struct mx_slice value);

/* After the last header. -MX_BAD_HTTP with the reason. */
int head_check(const struct head *head, bool http_1_1, struct mx_error *err);

/* Content-Length, or 0; UINT64_MAX if chunked. Only after head_check(). */
uint64_t head_body_len(const struct head *head);

/* The media type is multipart/form-data, in any case. */
bool head_is_form(const struct head *head);

/* Content-Encoding names a coding. */
bool head_is_encoded(const struct head *head);
