/* The token comes back: from a client as JSON, or from a person, who gets a page. */
#pragma once

struct req;

/* Outside of /_matrix: where a mail leads to. */
#define VALIDATION_PAGE "/verify/email"

/* By a client: POST submitToken. */
int confirm_json(struct req *r, const char *medium);

/* GET submitToken, the link of older mails and of operators who want no page between: validates
 * at once, unless it is a HEAD or a prefetch. */
int confirm_link(struct req *r, const char *medium);

/* The page with the button (TXN_READ), and what the button sends. */
int confirm_show(struct req *r);
int confirm_form(struct req *r);
