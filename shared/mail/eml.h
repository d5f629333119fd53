/* Whole messages as older services had them for templates: headers and parts in one text. Only
 * what it says is taken; the mailer makes the headers and the encoding itself. */
#pragma once

#include "shared/core/str.h"

/* The parts of a message; `{ 0 }` is empty. Release with eml_done(). */
struct eml {
	char *subject; /* unfolded; "" without one */
	char *text; /* NULL: none */
	char *html; /* NULL: none */
};

/*
 * message: header lines, an empty line, then a body, which is divided by lines "--boundary" if
 * these occur. Parts are text/plain unless their Content-Type says text/html; other parts are
 * left out. Lines end with LF or CRLF.
 */
void eml_read(struct mx_slice message, const char *boundary, struct eml *ret_eml);
void eml_done(struct eml *eml);
