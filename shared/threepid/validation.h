/* The course of a validation: ask for a message, wait for its first attempt, submit its token.
 * These commit by themselves: a message must be durable before it is waited for, and a lost try
 * before it is told. */
#pragma once

#include "shared/core/error.h"
#include "shared/mail/letter.h"
#include "shared/threepid/claim.h"

struct allowance;
struct budgets;
struct mx_arena;
struct mx_metric;
struct validation_request;
struct validation_send;

/* What a daemon validates with. */
struct validator {
	struct store *store;
	struct outbox *outbox;
	struct budgets *budgets;
	struct mx_metric *begun[2], *validated[2]; /* of e-mail and msisdn; NULL = not counted */
	void *app; /* for its channels */
};

/* How an address is reached. */
struct validation_channel {
	const char *medium;
	enum mx_code lost; /* what a message that was given up is called */
	/* Which budgets a message needs; or why there is none for this address at all. */
	int (*allow)(void *app, const struct validation_request *request,
		     struct allowance *ret_allowance, struct mx_error *err);
	/* Queues the message with the session's token. */
	int (*send)(void *app, const struct claim_call *call, const struct validation_send *what,
		    uint64_t *ret_message, struct mx_error *err);
};

struct validation_send {
	const struct validation_request *request;
	const struct claim *session; /* with its token */
};

struct validation_request {
	const struct validation_channel *channel;
	struct claim_request session;
	struct letter_style style;
	const char *account; /* who asks; NULL on v1 */
	const char *client; /* address of the client */
	const char *region; /* of a phone number: "GB" */
};

/* What was begun. message 0: nothing had to be sent. */
struct validation {
	const char *id; /* of the session, in mem */
	uint64_t message;
};

/*
 * Opens the session and queues the message, if one is due and the budgets have it. Besides the
 * failures of claim_open() and of the messages: -MX_LIMIT_EXCEEDED with err->retry_after_ms,
 * -MX_DESTINATION_REJECTED, -MX_BUSY if others keep getting in the way.
 */
int validation_begin(const struct validator *validator, const struct validation_request *request,
		     struct mx_arena *mem, struct validation *ret_validation, struct mx_error *err);

/* Whether the first attempt to send is still to come or under way… */
bool validation_is_open(const struct validator *validator, uint64_t message);
/* …or the message was given up: then its attempt counts as not made. */
bool validation_is_lost(const struct validator *validator, const char *id, uint64_t message,
			struct mx_arena *mem);

struct validation_proof {
	const char *medium, *id, *client_secret, *token;
};

/* -MX_SESSION_UNKNOWN (no such session of that medium and secret), -MX_SESSION_EXPIRED,
 * -MX_TOKEN_INCORRECT, -MX_INVALID_PARAM. */
int validation_submit(const struct validator *validator, const struct validation_proof *proof,
		      struct mx_arena *mem, struct claim *ret_session, struct mx_error *err);
