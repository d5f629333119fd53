/* The course of a conversation with a relay, step by step, for an operator who tests. */
#pragma once

#include <curl/curl.h>
#include <jansson.h>
#include <stdbool.h>

#define SMTP_STEPS_MAX 12
#define SMTP_WORDS_MAX 200

struct smtp_conf;

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

/* Listens to what this handle says and hears. Neither may go before curl_easy_cleanup(). */
void smtp_trace_begin(struct smtp_trace *trace, const struct smtp_conf *conf, CURL *easy);
/* Before curl_easy_cleanup(): what it came to. why: of a failure; NULL if all went well. */
void smtp_trace_end(struct smtp_trace *trace, CURL *easy, CURLcode code, const char *why);

/* [{"step": name, "ok": bool, "words": text}]; the caller owns it. */
json_t *smtp_trace_json(const struct smtp_trace *trace);
