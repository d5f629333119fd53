#include "shared/mail/smtp.h"

#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/mail/smtp_trace.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdatomic.h>
#include <stdio.h>

#define CONNECT_MS     10000
#define TOTAL_MS       60000
#define PROBE_MS       20000
#define WORDS_MAX      SMTP_WORDS_MAX /* of the relay, for the log */
#define CODE_GOODBYE   221
#define CODE_NO_ACCESS 530 /* authentication or TLS required: our configuration, not this mail */

/* Fails only for options that this libcurl does not know. */
#define SET(easy, option, value)                                       \
	do {                                                           \
		if (curl_easy_setopt(easy, option, value) != CURLE_OK) \
			abort();                                       \
	} while (0)

struct exchange {
	const struct smtp_message *message; /* NULL for a probe */
	size_t done; /* bytes of it given to libcurl */
	bool ended; /* the final dot may be on its way */
	bool offers_utf8, lacks_utf8;
	int reply; /* the relay's last code, since the final dot if that was sent… */
	char words[WORDS_MAX]; /* …and its line */
	char curl_text[CURL_ERROR_SIZE];
};

/* ---- what libcurl calls */

static bool may_begin(struct exchange *exchange)
{
	exchange->lacks_utf8 = exchange->message->needs_utf8 && !exchange->offers_utf8;
	return !exchange->lacks_utf8;
}

static size_t end_message(struct exchange *exchange)
{
	const struct smtp_message *message = exchange->message;

	if (!exchange->ended && message->before_end && message->before_end(message->ctx))
		return CURL_READFUNC_ABORT;
	exchange->ended = true;
	exchange->reply = 0;
	return 0;
}

static size_t give_bytes(char *room, size_t size, size_t count, void *ctx)
{
	struct exchange *exchange = ctx;
	struct mx_slice bytes = exchange->message->bytes;
	size_t len = size * count;

	if (exchange->done == 0 && !may_begin(exchange))
		return CURL_READFUNC_ABORT;
	if (exchange->done == bytes.len)
		return end_message(exchange);
	if (len > bytes.len - exchange->done)
		len = bytes.len - exchange->done;
	memcpy(room, bytes.ptr + exchange->done, len);
	exchange->done += len;
	return len;
}

void smtp_words(struct mx_slice line, struct mx_str *out)
{
	struct mx_slice word;

	while (mx_split_next(&line, ' ', &word)) {
		struct mx_slice shown = memchr(word.ptr, '@', word.len) ? MX_SLICE("...") : word;

		if (word.len > 0 && out->len + shown.len + 1 < WORDS_MAX)
			mx_str_addf(out, "%s%.*s", out->len ? " " : "", MX_SLICE_ARG(shown));
	}
}

static void keep_words(struct exchange *exchange, struct mx_slice line)
{
	mx_str_auto words = { 0 };

	smtp_words(line, &words);
	snprintf(exchange->words, sizeof(exchange->words), "%s", words.ptr ? words.ptr : "");
}

/* Its goodbye says nothing about the message. */
static void keep_reply(struct exchange *exchange, struct mx_slice line)
{
	int64_t code = 0;

	if (line.len < 3 || !mx_parse_i64(mx_slice_of(line.ptr, 3), &code) || code == CODE_GOODBYE)
		return;
	exchange->reply = (int)code;
	keep_words(exchange, line);
}

/* Each line that the relay says. */
static size_t take_line(char *text, size_t size, size_t count, void *ctx)
{
	struct exchange *exchange = ctx;
	struct mx_slice line = mx_slice_of(text, size * count);

	while (line.len > 0 && (unsigned char)line.ptr[line.len - 1] < 0x20)
		line.len--;
	if (line.len > 4 && mx_slice_is(mx_slice_of(line.ptr + 4, line.len - 4), "SMTPUTF8"))
		exchange->offers_utf8 = true;
	keep_reply(exchange, line);
	return size * count;
}

static size_t take_nothing(char *text, size_t size, size_t count, void *ctx)
{
	(void)text;
	(void)ctx;
	return size * count;
}

static int look_around(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	const _Atomic bool *hurry = ctx;

	(void)a;
	(void)b;
	(void)c;
	(void)d;
	return atomic_load(hurry);
}

/* ---- setting up */

static uint16_t port_of(const struct smtp_conf *conf)
{
	static const uint16_t ports[] = {
		[SMTP_STARTTLS] = 587, [SMTP_IMPLICIT] = 465, [SMTP_PLAIN] = 25
	};

	return conf->port ? conf->port : ports[conf->tls];
}

static char *url_of(const struct smtp_conf *conf)
{
	bool literal = strchr(conf->host, ':') != NULL;

	return mx_strf("%s://%s%s%s:%d/%s", conf->tls == SMTP_IMPLICIT ? "smtps" : "smtp",
		       literal ? "[" : "", conf->host, literal ? "]" : "", port_of(conf),
		       conf->hello ? conf->hello : "");
}

static void set_relay(CURL *easy, const struct smtp_conf *conf, struct exchange *exchange)
{
	mx_autofree char *url = url_of(conf);

	SET(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	SET(easy, CURLOPT_URL, url);
	SET(easy, CURLOPT_PROXY, "");
	SET(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	SET(easy, CURLOPT_NOSIGNAL, 1L);
	SET(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(conf->connect_ms ?: CONNECT_MS));
	SET(easy, CURLOPT_TIMEOUT_MS, (long)(conf->total_ms ?: TOTAL_MS));
	SET(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (conf->tls == SMTP_STARTTLS)
		SET(easy, CURLOPT_USE_SSL, (long)CURLUSESSL_ALL);
	if (conf->ca_file)
		SET(easy, CURLOPT_CAINFO, conf->ca_file);
	if (conf->user) {
		SET(easy, CURLOPT_USERNAME, conf->user);
		SET(easy, CURLOPT_PASSWORD, conf->password ? conf->password : "");
	}
	SET(easy, CURLOPT_HEADERFUNCTION, take_line);
	SET(easy, CURLOPT_HEADERDATA, exchange);
	SET(easy, CURLOPT_WRITEFUNCTION, take_nothing);
	SET(easy, CURLOPT_ERRORBUFFER, exchange->curl_text);
}

static void set_message(CURL *easy, const struct smtp_message *message, struct exchange *exchange)
{
	mx_autofree char *from = mx_strf("<%s>", message->from);

	SET(easy, CURLOPT_MAIL_FROM, from);
	SET(easy, CURLOPT_UPLOAD, 1L);
	SET(easy, CURLOPT_READFUNCTION, give_bytes);
	SET(easy, CURLOPT_READDATA, exchange);
}

/* NULL: never. */
static void set_hurry(CURL *easy, const _Atomic bool *hurry)
{
	if (!hurry)
		return;
	SET(easy, CURLOPT_XFERINFOFUNCTION, look_around);
	SET(easy, CURLOPT_XFERINFODATA, (void *)hurry);
	SET(easy, CURLOPT_NOPROGRESS, 0L);
}

/* ---- what came of it */

static const char *reason(const struct exchange *exchange, CURLcode code)
{
	if (exchange->lacks_utf8)
		return "The relay takes no addresses with letters beyond ASCII (SMTPUTF8)";
	if (exchange->reply >= 400)
		return exchange->words;
	return *exchange->curl_text ? exchange->curl_text : curl_easy_strerror(code);
}

/* A relay that refuses us before it has heard of the message says nothing about it: libcurl tells
 * refusals of MAIL, RCPT and DATA by CURLE_SEND_ERROR. */
static bool is_about_message(const struct exchange *exchange, CURLcode code)
{
	return exchange->ended || code == CURLE_SEND_ERROR;
}

static enum outbox_result judge(const struct exchange *exchange, CURLcode code)
{
	int reply = exchange->reply;

	if (exchange->lacks_utf8)
		return OUTBOX_REFUSED;
	if (reply >= 500 && reply != CODE_NO_ACCESS && is_about_message(exchange, code))
		return OUTBOX_REFUSED;
	if (reply >= 400 || !exchange->ended)
		return OUTBOX_AGAIN;
	return OUTBOX_UNSURE;
}

/* ---- for who looks on */

static int look_on(CURL *easy, curl_infotype type, char *bytes, size_t len, void *ctx)
{
	static const char secured[] = "SSL connection using ";
	struct mx_slice line = mx_slice_of(bytes, len);
	struct smtp_trace *trace = ctx;

	(void)easy;
	while (line.len > 0 && (unsigned char)line.ptr[line.len - 1] <= ' ')
		line.len--;
	if (type == CURLINFO_HEADER_OUT)
		smtp_trace_said(trace, line);
	else if (type == CURLINFO_HEADER_IN)
		smtp_trace_heard(trace, line);
	else if (type == CURLINFO_TEXT && line.len > sizeof(secured) &&
		 memcmp(line.ptr, secured, sizeof(secured) - 1) == 0)
		smtp_trace_secured(trace, mx_slice_of(line.ptr + sizeof(secured) - 1,
						      line.len - sizeof(secured) + 1));
	return 0;
}

static void begin_trace(CURL *easy, const struct smtp_conf *conf, struct smtp_trace *trace)
{
	smtp_trace_begin(trace, conf->tls == SMTP_IMPLICIT, conf->user != NULL);
	SET(easy, CURLOPT_DEBUGFUNCTION, look_on);
	SET(easy, CURLOPT_DEBUGDATA, trace);
	SET(easy, CURLOPT_VERBOSE, 1L);
}

static bool took_place(CURL *easy, CURLINFO which)
{
	curl_off_t time = 0;

	return curl_easy_getinfo(easy, which, &time) == CURLE_OK && time > 0;
}

static void end_trace(CURL *easy, struct smtp_trace *trace, const char *why)
{
	struct smtp_trace_end end = {
		.found = took_place(easy, CURLINFO_NAMELOOKUP_TIME_T),
		.connected = took_place(easy, CURLINFO_CONNECT_TIME_T),
		.why = why,
	};

	curl_easy_getinfo(easy, CURLINFO_PRIMARY_IP, &end.address);
	curl_easy_getinfo(easy, CURLINFO_PRIMARY_PORT, &end.port);
	smtp_trace_end(trace, &end);
}

enum outbox_result smtp_send(const struct smtp_conf *conf, const struct smtp_message *message,
			     struct mx_error *err)
{
	struct exchange exchange = { .message = message };
	mx_autofree char *recipient = mx_strf("<%s>", message->to);
	struct curl_slist *recipients = curl_slist_append(NULL, recipient);
	CURL *easy = curl_easy_init();
	CURLcode code;

	if (!easy || !recipients)
		abort();
	set_relay(easy, conf, &exchange);
	set_message(easy, message, &exchange);
	set_hurry(easy, message->hurry);
	SET(easy, CURLOPT_MAIL_RCPT, recipients);
	if (message->trace)
		begin_trace(easy, conf, message->trace);
	code = curl_easy_perform(easy);
	if (message->trace)
		end_trace(easy, message->trace, code == CURLE_OK ? NULL : reason(&exchange, code));
	curl_easy_cleanup(easy);
	curl_slist_free_all(recipients);
	if (code == CURLE_OK)
		return OUTBOX_SENT;
	mx_fail(err, MX_REMOTE_FAILED, "%s", reason(&exchange, code));
	return judge(&exchange, code);
}

int smtp_probe(const struct smtp_conf *conf, const _Atomic bool *hurry, struct mx_error *err)
{
	struct exchange exchange = { 0 };
	CURL *easy = curl_easy_init();
	CURLcode code;

	if (!easy)
		abort();
	set_relay(easy, conf, &exchange);
	set_hurry(easy, hurry);
	SET(easy, CURLOPT_TIMEOUT_MS, (long)PROBE_MS);
	SET(easy, CURLOPT_CUSTOMREQUEST, "NOOP");
	code = curl_easy_perform(easy);
	curl_easy_cleanup(easy);
	if (code == CURLE_OK)
		return 0;
	return mx_fail(err, code == CURLE_OPERATION_TIMEDOUT ? MX_REMOTE_TIMEOUT : MX_REMOTE_FAILED,
		       "%s", reason(&exchange, code));
}
