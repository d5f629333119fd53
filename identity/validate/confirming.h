/* The validation endpoints that e-mail and phone numbers have in common. */
#pragma once

#include "identity/budget_kinds.h"
#include "identity/message/message.h"
#include "identity/routes.h"
#include "shared/threepid/confirm.h"
#include "shared/threepid/validation.h"

struct identity;
struct req;

/* Outside of /_matrix: where a mail leads to. */
#define VALIDATION_PAGE "/verify/email"

extern const struct validation_channel mail_channel, sms_channel;

struct validator validator_of(struct identity *identity);

/* The medium is that of the path. */
int post_submit_token(struct req *r);
int get_submit_token(struct req *r);

/* The rows of both; the medium is that of the path. */
#define CONFIRM_ROWS(base, medium, who)                                                 \
	{ POST,                                                                         \
	  base "/validate/" medium "/submitToken",                                      \
	  post_submit_token,                                                            \
	  .auth = who,                                                                  \
	  .limit = LIMIT_LOGIN,                                                         \
	  .flags = ROUTE_CORS | ROUTE_FORM,                                             \
	  .body = "identity/submit_token",                                              \
	  .reply = "identity/submit_token.reply" },                                     \
	{                                                                               \
		GET, base "/validate/" medium "/submitToken", get_submit_token,         \
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
