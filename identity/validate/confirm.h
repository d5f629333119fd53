/* The token comes back: from a client as JSON, or from a person, who gets a page. */
#pragma once

#include "identity/routes.h"

struct req;

/* Outside of /_matrix: where a mail leads to. */
#define VALIDATION_PAGE "/verify/email"

/* By a client: POST submitToken. */
int confirm_json(struct req *r);

/* GET submitToken, the link of older mails and of operators who want no page between: validates
 * at once, unless it is a HEAD or a prefetch. */
int confirm_link(struct req *r);

/* The page with the button (TXN_READ), and what the button sends. */
int confirm_show(struct req *r);
int confirm_form(struct req *r);

/* The rows of both; the medium is that of the path. */
#define CONFIRM_ROWS(base, medium, who)                                                 \
	{ POST,                                                                         \
	  base "/validate/" medium "/submitToken",                                      \
	  confirm_json,                                                                 \
	  .auth = who,                                                                  \
	  .limit = LIMIT_LOGIN,                                                         \
	  .flags = ROUTE_CORS | ROUTE_FORM,                                             \
	  .body = "identity/submit_token",                                              \
	  .reply = "identity/submit_token.reply" },                                     \
	{                                                                               \
		GET, base "/validate/" medium "/submitToken", confirm_link,             \
			.limit = LIMIT_LOGIN, .flags = ROUTE_CORS | ROUTE_BEFORE_TERMS, \
			.reply = "identity/page.reply"                                  \
	}

/* The row that asks for a token; schema: "identity/email_token", with "_v1" for version 1. */
#define ASK_ROW(base, medium, handler, who, schema, answer)                                      \
	{                                                                                        \
		POST, base "/validate/" medium "/requestToken", handler,                         \
			.auth = who, .limit = LIMIT_SEND_MAIL, .flags = ROUTE_CORS | ROUTE_FORM, \
			.body = schema, .reply = answer                                          \
	}
