/* The course of a conversation with a relay, step by step, for an operator who tests. */
#pragma once

#include "shared/core/slice.h"

#include <jansson.h>
#include <stdbool.h>

#define SMTP_STEPS_MAX 12
#define SMTP_WORDS_MAX 200

/* `{ 0 }` is one that did not begin. */
struct smtp_trace {
	struct {
		const char *name; /* "TLS", "log-in", "recipient" */
		bool ok;
		char words[SMTP_WORDS_MAX]; /* the relay's, without addresses, or why it failed */
	} steps[SMTP_STEPS_MAX];
	unsigned len;
	bool implicit_tls, wants_login;
};

/* ---- for smtp.c */

void smtp_trace_begin(struct smtp_trace *trace, bool implicit_tls, bool wants_login);
/* A line that was said, or heard; and how TLS came about. */
void smtp_trace_said(struct smtp_trace *trace, struct mx_slice line);
void smtp_trace_heard(struct smtp_trace *trace, struct mx_slice line);
void smtp_trace_secured(struct smtp_trace *trace, struct mx_slice how);

struct smtp_trace_end {
	bool found, connected; /* the name, to an address; if nothing was said to tell */
	const char *address;
	long port;
	const char *why; /* of a failure; NULL if all went well */
};
void smtp_trace_end(struct smtp_trace *trace, const struct smtp_trace_end *end);

/* ---- for all */

/* [{"step": name, "ok": bool, "words": text}]; the caller owns it. */
json_t *smtp_trace_json(const struct smtp_trace *trace);
