#include "shared/mail/smtp_trace.h"

#include "shared/core/str.h"
#include "shared/mail/smtp.h"

#include <stdio.h>

/* What stands before all else and is known only at the end. */
enum { STEP_NAME, STEP_CONNECTION, STEPS_BEFORE };

static const char tls_step[] = "TLS", login_step[] = "log-in", greeting_step[] = "greeting";

static bool begins(struct mx_slice text, const char *with)
{
	size_t len = strlen(with);

	return text.len >= len && memcmp(text.ptr, with, len) == 0;
}

/* ---- steps */

static void begin(struct smtp_trace *trace, const char *name)
{
	if (trace->len == SMTP_STEPS_MAX)
		return;
	trace->steps[trace->len].name = name;
	trace->steps[trace->len].ok = false;
	trace->steps[trace->len++].words[0] = '\0';
}

static bool has(const struct smtp_trace *trace, const char *name)
{
	for (unsigned i = 0; i < trace->len; i++)
		if (streq(trace->steps[i].name, name))
			return true;
	return false;
}

static bool stands_at(const struct smtp_trace *trace, const char *name)
{
	return streq(trace->steps[trace->len - 1].name, name);
}

/* The last step, if it is not done yet. */
static void succeed(struct smtp_trace *trace)
{
	trace->steps[trace->len - 1].ok = true;
}

static void keep_words(struct smtp_trace *trace, struct mx_slice line)
{
	mx_str_auto words = { 0 };

	smtp_words(line, &words);
	snprintf(trace->steps[trace->len - 1].words, SMTP_WORDS_MAX, "%s",
		 words.ptr ? words.ptr : "");
}

/* ---- what is said and heard */

void smtp_trace_said(struct smtp_trace *trace, struct mx_slice line)
{
	static const struct {
		const char *verb, *step;
	} rows[] = {
		{ "EHLO", "EHLO" },     { "HELO", "EHLO" },   { "STARTTLS", tls_step },
		{ "AUTH", login_step }, { "MAIL", "sender" }, { "RCPT", "recipient" },
		{ "DATA", "message" },
	};

	/* Something is said behind STARTTLS: TLS stands, the certificate is the right one. */
	if (stands_at(trace, tls_step))
		succeed(trace);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (begins(line, rows[i].verb) && !has(trace, rows[i].step))
			begin(trace, rows[i].step);
}

void smtp_trace_heard(struct smtp_trace *trace, struct mx_slice line)
{
	bool is_last = line.len == 3 || (line.len > 3 && line.ptr[3] == ' ');

	if (!is_last || begins(line, "221"))
		return;
	if (stands_at(trace, tls_step) && trace->implicit_tls) {
		succeed(trace);
		begin(trace, greeting_step);
	}
	if (stands_at(trace, tls_step) && line.ptr[0] < '4')
		return; /* ready for TLS, which is still to come */
	keep_words(trace, line);
	trace->steps[trace->len - 1].ok = line.ptr[0] < '4' && line.ptr[0] != '3';
}

void smtp_trace_secured(struct smtp_trace *trace, struct mx_slice how)
{
	if (stands_at(trace, tls_step))
		keep_words(trace, how);
}

void smtp_trace_begin(struct smtp_trace *trace, bool implicit_tls, bool wants_login)
{
	*trace = (struct smtp_trace){ .implicit_tls = implicit_tls, .wants_login = wants_login };
	begin(trace, "name");
	begin(trace, "connection");
	begin(trace, implicit_tls ? tls_step : greeting_step);
}

/* ---- the end */

/* Of the first two steps; those behind one that failed did not begin. */
static void judge_beginning(struct smtp_trace *trace, const struct smtp_trace_end *end)
{
	bool was_heard = trace->steps[STEPS_BEFORE].ok || trace->len > STEPS_BEFORE + 1;
	bool connected = was_heard || (end->found && end->connected);

	trace->steps[STEP_NAME].ok = was_heard || end->found;
	trace->steps[STEP_CONNECTION].ok = connected;
	if (connected)
		snprintf(trace->steps[STEP_CONNECTION].words, SMTP_WORDS_MAX, "%s, port %ld",
			 end->address ? end->address : "?", end->port);
	else
		trace->len = end->found ? STEPS_BEFORE : STEP_NAME + 1;
}

void smtp_trace_end(struct smtp_trace *trace, const struct smtp_trace_end *end)
{
	bool all_done = trace->steps[trace->len - 1].ok;

	judge_beginning(trace, end);
	if (end->why && all_done)
		begin(trace, "end");
	if (end->why) {
		trace->steps[trace->len - 1].ok = false;
		snprintf(trace->steps[trace->len - 1].words, SMTP_WORDS_MAX, "%s", end->why);
	}
	if (trace->wants_login && has(trace, "sender") && !has(trace, login_step)) {
		begin(trace, login_step);
		keep_words(trace, MX_SLICE("the relay offers none, so nobody has logged in"));
	}
}

json_t *smtp_trace_json(const struct smtp_trace *trace)
{
	json_t *steps = json_array();

	for (unsigned i = 0; i < trace->len; i++)
		json_array_append_new(
			steps, json_pack("{s:s, s:b, s:s}", "step", trace->steps[i].name, "ok",
					 trace->steps[i].ok, "words", trace->steps[i].words));
	return steps;
}
