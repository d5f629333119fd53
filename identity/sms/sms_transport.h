/* Ways to send one text message: a table with a row for each kind of gateway. */
#pragma once

#include "shared/core/slice.h"
#include "shared/net/net.h"
#include "shared/outbox/outbox.h"

#include <jansson.h>
#include <stdbool.h>

struct mx_arena;
struct mx_error;
struct net;
struct sms_conf;
struct template_text;

#define SMS_HEADERS_MAX 20
#define SMS_SECRET_MAX  4096

struct sms_message {
	const char *to; /* digits, without '+' */
	const char *from; /* may be "" */
	const char *text; /* UTF-8 */
	const _Atomic bool *hurry; /* true: the daemon is stopping. May be NULL */
};

/* A configuration in use. Never changes; see sms_settings.h. */
struct sms_settings {
	_Atomic unsigned refs;
	struct mx_arena *mem; /* all that is below, but for the templates */
	const struct sms_conf *conf;
	const struct sms_transport *transport; /* NULL: nothing is sent */
	const char *secret; /* "" if the gateway has none */
	struct template_text *url, *body, *headers[SMS_HEADERS_MAX]; /* the webhook's */
};

struct sms_transport {
	const char *name; /* "twilio" */
	bool needs_from;
	/* What the configuration lacks for it: -MX_BAD_CONFIG. */
	int (*check)(const struct sms_conf *conf, struct mx_error *err);

	/* Gateways that are asked by HTTP: the request, in mem; */
	int (*build)(const struct sms_settings *settings, const struct sms_message *message,
		     struct mx_arena *mem, struct net_request *ret_request, struct mx_error *err);
	/* whether a status means that the answer is to be read; NULL = 200–299; */
	bool (*is_answer)(const struct sms_settings *settings, int status);
	/* what such an answer says, NULL if it is no JSON: SENT, AGAIN, REFUSED or UNSURE; */
	enum outbox_result (*read)(const struct sms_settings *settings, const json_t *answer,
				   struct mx_error *err);
	/* the gateway's own code in other answers, in mem; NULL if there is none. */
	const char *(*code)(const json_t *answer, struct mx_arena *mem);

	/* All others. */
	enum outbox_result (*run)(const struct sms_settings *settings,
				  const struct sms_message *message, struct mx_error *err);
};

extern const struct sms_transport sms_command, sms_infobip, sms_twilio, sms_vonage, sms_webhook;

/* NULL for a name that nobody has, or NULL. */
const struct sms_transport *sms_transport_find(const char *name);

/*
 * Waits. AGAIN: nothing left this machine, or the gateway said "not now" (with its time in
 * err->retry_after_ms). REFUSED: it said no. UNSURE: it may have taken the message. err says why,
 * without numbers of people and words of the gateway.
 */
enum outbox_result sms_transport_send(struct net *net, const struct sms_settings *settings,
				      const struct sms_message *message, struct mx_error *err);

/* ---- for the rows */

/* "name=value" with '&' before it unless it is the first. */
struct mx_str;
void sms_form_add(struct mx_str *form, const char *name, const char *value);

/* The base: the configured URL without '/' at its end, or the usual one. */
struct mx_slice sms_base_url(const struct sms_conf *conf, const char *usual);

/* A code in a gateway's answer that is safe to show: letters, digits, '_' and '-', at most 64. */
bool sms_code_is_plain(const char *code);
