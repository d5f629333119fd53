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

static void said(struct smtp_trace *trace, struct mx_slice line)
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

static void heard(struct smtp_trace *trace, struct mx_slice line)
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

static void noticed(struct smtp_trace *trace, struct mx_slice text)
{
	static const char connected[] = "SSL connection using ";

	if (!stands_at(trace, tls_step) || !begins(text, connected))
		return;
	text.ptr += strlen(connected);
	text.len -= strlen(connected);
	keep_words(trace, text);
}

static int listen_to(CURL *easy, curl_infotype type, char *bytes, size_t len, void *ctx)
{
	struct mx_slice line = mx_slice_of(bytes, len);
	struct smtp_trace *trace = ctx;

	(void)easy;
	while (line.len > 0 && (unsigned char)line.ptr[line.len - 1] <= ' ')
		line.len--;
	if (type == CURLINFO_HEADER_OUT)
		said(trace, line);
	else if (type == CURLINFO_HEADER_IN)
		heard(trace, line);
	else if (type == CURLINFO_TEXT)
		noticed(trace, line);
	return 0;
}

void smtp_trace_begin(struct smtp_trace *trace, const struct smtp_conf *conf, CURL *easy)
{
	*trace = (struct smtp_trace){ .implicit_tls = conf->tls == SMTP_IMPLICIT,
				      .wants_login = conf->user != NULL };
	begin(trace, "name");
	begin(trace, "connection");
	begin(trace, trace->implicit_tls ? tls_step : greeting_step);
	curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, listen_to);
	curl_easy_setopt(easy, CURLOPT_DEBUGDATA, trace);
	curl_easy_setopt(easy, CURLOPT_VERBOSE, 1L);
}

/* ---- the end */

static bool took_place(CURL *easy, CURLINFO which)
{
	curl_off_t time = 0;

	return curl_easy_getinfo(easy, which, &time) == CURLE_OK && time > 0;
}

static void name_connection(struct smtp_trace *trace, CURL *easy)
{
	const char *address = NULL;
	long port = 0;

	curl_easy_getinfo(easy, CURLINFO_PRIMARY_IP, &address);
	curl_easy_getinfo(easy, CURLINFO_PRIMARY_PORT, &port);
	snprintf(trace->steps[STEP_CONNECTION].words, SMTP_WORDS_MAX, "%s, port %ld",
		 address ? address : "?", port);
}

/* Of the first two steps; those behind one that failed did not begin. */
static void judge_beginning(struct smtp_trace *trace, CURL *easy, CURLcode code)
{
	bool found = code != CURLE_COULDNT_RESOLVE_HOST &&
		     (trace->len > STEPS_BEFORE + 1 || code == CURLE_OK ||
		      took_place(easy, CURLINFO_NAMELOOKUP_TIME_T));
	bool connected = found && (trace->steps[STEPS_BEFORE].ok || trace->len > STEPS_BEFORE + 1 ||
				   took_place(easy, CURLINFO_CONNECT_TIME_T));

	trace->steps[STEP_NAME].ok = found;
	trace->steps[STEP_CONNECTION].ok = connected;
	if (connected)
		name_connection(trace, easy);
	else
		trace->len = found ? STEPS_BEFORE : STEP_NAME + 1;
}

void smtp_trace_end(struct smtp_trace *trace, CURL *easy, CURLcode code, const char *why)
{
	bool all_done = trace->steps[trace->len - 1].ok;

	judge_beginning(trace, easy, code);
	if (why && all_done)
		begin(trace, "end");
	if (why) {
		trace->steps[trace->len - 1].ok = false;
		snprintf(trace->steps[trace->len - 1].words, SMTP_WORDS_MAX, "%s", why);
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
