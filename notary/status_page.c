#include "notary/status_page.h"

#include "shared/core/base64.h"
#include "shared/core/html.h"
#include "shared/core/time.h"
#include "shared/crypto/sha256.h"
#include "shared/json/json.h"

#include <time.h>

static const char page_head[] =
	"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	"<meta name=\"color-scheme\" content=\"light dark\">\n<title>Key notary ";

/* Narrow screens show each row as a block of labelled lines. The empty alternative text of the
 * labels is for screen readers, which say the column's name by themselves. */
static const char page_style[] =
	"\n:root{--ink:#1b2430;--soft:#566273;--line:#d5dbe3;--card:#fff;--ground:#f3f5f8;"
	"--mark:#0b5cad;--good:#176b3a;--bad:#9f2a1d}\n"
	"@media (prefers-color-scheme:dark){:root{--ink:#e7ecf3;--soft:#a5b1c2;--line:#39434f;"
	"--card:#1d242d;--ground:#12171d;--mark:#7db8f5;--good:#7fd3a0;--bad:#f2a093}}\n"
	"*{box-sizing:border-box}\n"
	"body{margin:0 auto;max-width:68rem;padding:1rem;background:var(--ground);"
	"color:var(--ink);font:1rem/1.5 system-ui,sans-serif}\n"
	"h1{font-size:1.6rem;line-height:1.25;margin:.5rem 0;overflow-wrap:anywhere}\n"
	"h2{font-size:1.15rem;margin:0 0 .5rem}\nh3{font-size:1rem;margin:.75rem 0 .25rem}\n"
	"section{background:var(--card);border:1px solid var(--line);border-radius:.6rem;"
	"padding:1rem;margin:1rem 0}\n"
	"p{margin:.25rem 0 .75rem}\n.soft,footer{color:var(--soft)}\nfooter{font-size:.9rem}\n"
	"dl{display:grid;grid-template-columns:repeat(4,1fr);gap:.75rem;"
	"margin:0}\ndl div{border-left:3px solid var(--mark);padding-left:.6rem}\n"
	"dt{color:var(--soft);font-size:.9rem}\ndd{margin:0;font-size:1.3rem;font-weight:600}\n"
	"table{width:100%;border-collapse:collapse}\n"
	"th,td{text-align:left;padding:.4rem 1rem .4rem 0;border-bottom:1px solid var(--line);"
	"vertical-align:top;font-weight:400}\n"
	"tr>:last-child{padding-right:0}\ntbody tr:last-child>*{border-bottom:0}\n"
	"thead th{color:var(--soft);font-weight:600;font-size:.9rem;white-space:nowrap}\n"
	"tbody th{overflow-wrap:anywhere}\ntime,.fixed{white-space:nowrap}\n"
	"code,pre{font-family:ui-monospace,monospace;font-size:.85rem}\n"
	"pre{background:var(--ground);border-radius:.4rem;padding:.75rem;overflow-wrap:anywhere;"
	"white-space:pre-wrap;margin:.25rem 0 1rem}\n"
	".good{color:var(--good)}\n.bad{color:var(--bad)}\n"
	"@media (max-width:60rem){table,tbody,tr,th,td{display:block}\n"
	"thead{position:absolute;clip-path:inset(50%);height:1px;width:1px;overflow:hidden}\n"
	"tbody th,td{border:0;padding:.1rem 0;overflow-wrap:anywhere}\n"
	"tbody th{font-weight:600}\n"
	"tr{border-bottom:1px solid var(--line);padding:.5rem 0}\n"
	"tbody tr:last-child{border-bottom:0}\n"
	"dl{grid-template-columns:1fr 1fr}\n"
	"td::before{content:attr(data-label) \": \";content:attr(data-label) \": \" / \"\";"
	"color:var(--soft)}}\n"
	"@media (max-width:30rem){.fixed{white-space:normal}}\n";

#define COLUMN(title) "<th role=\"columnheader\" scope=\"col\">" title "</th>"

/* The roles: as blocks, tables and their parts would be none for screen readers. */
#define TABLE_HEAD                              \
	"<table role=\"table\" aria-labelledby" \
	"=\"%s\">\n<thead role=\"rowgroup\"><tr role=\"row\">%s"
#define TABLE_BODY "</tr></thead>\n<tbody role=\"rowgroup\">\n"
#define TABLE_END  "</tbody>\n</table>\n"

/* ---- small pieces */

static void add_duration(struct mx_str *page, int64_t seconds)
{
	int64_t days = seconds / 86400, hours = seconds / 3600 % 24, minutes = seconds / 60 % 60;

	if (days)
		mx_str_addf(page, "%lld d %lld h", (long long)days, (long long)hours);
	else if (hours)
		mx_str_addf(page, "%lld h %lld min", (long long)hours, (long long)minutes);
	else
		mx_str_addf(page, "%lld min", (long long)minutes);
}

static void add_time(struct mx_str *page, int64_t time_ms)
{
	time_t seconds = time_ms / MX_SECOND_MS;
	char machine[32], shown[32];
	struct tm tm;

	if (time_ms <= 0) {
		mx_str_add_text(page, "never");
		return;
	}
	gmtime_r(&seconds, &tm);
	strftime(machine, sizeof(machine), "%Y-%m-%dT%H:%MZ", &tm);
	strftime(shown, sizeof(shown), "%Y-%m-%d %H:%M", &tm);
	mx_str_addf(page, "<time datetime=\"%s\">%s</time>", machine, shown);
}

static void open_row(struct mx_str *page, const char *class, const char *name)
{
	mx_str_addf(page, "<tr role=\"row\"><th role=\"rowheader\" scope=\"row\"%s>", class);
	mx_html_add(page, name);
	mx_str_add_text(page, "</th>");
}

static void open_cell(struct mx_str *page, const char *label)
{
	mx_str_addf(page, "<td role=\"cell\" data-label=\"%s\">", label);
}

static void add_code_cell(struct mx_str *page, const char *label, const char *text)
{
	open_cell(page, label);
	mx_str_add_text(page, "<code class=\"fixed\">");
	mx_html_add(page, text);
	mx_str_add_text(page, "</code></td>");
}

static void add_time_cell(struct mx_str *page, const char *label, int64_t time_ms)
{
	open_cell(page, label);
	add_time(page, time_ms);
	mx_str_add_text(page, "</td>");
}

static void open_section(struct mx_str *page, const char *id, const char *title)
{
	mx_str_addf(page, "<section aria-labelledby=\"%s\">\n<h2 id=\"%s\">%s</h2>\n", id, id,
		    title);
}

/* ---- sections */

static void add_top(struct mx_str *page, const json_t *overview)
{
	mx_str_add_text(page, "<header>\n<h1>Key notary ");
	mx_html_add(page, jstr(overview, "server_name"));
	mx_str_add_text(page, "</h1>\n<p class=\"soft\">Vouches for the signing keys of Matrix "
			      "servers.</p>\n</header>\n<main>\n");
}

static void add_counts(struct mx_str *page, const json_t *overview)
{
	static const struct {
		const char *key, *label;
		bool bad; /* unless it is 0 */
	} shown[] = {
		{ "servers", "Servers known", false },
		{ "versions", "Sets of keys", false },
		{ "kept_fresh", "Kept fresh", false },
		{ "in_flight", "Being asked now", false },
		{ "backed_off", "Not answering", false },
		{ "conflicts", "Conflicting keys", true },
		{ "decisions", "Denied or pinned", false },
	};
	const json_t *counts = jobj(overview, "counts");

	open_section(page, "counts", "Right now");
	mx_str_add_text(page, "<dl>\n<div><dt>Up for</dt><dd>");
	add_duration(page, jint(overview, "uptime_s", 0));
	mx_str_add_text(page, "</dd></div>\n");
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
		long long count = (long long)jint(counts, shown[i].key, 0);

		mx_str_addf(page, "<div><dt>%s</dt><dd%s>%lld</dd></div>\n", shown[i].label,
			    shown[i].bad && count ? " class=\"bad\"" : "", count);
	}
	mx_str_add_text(page, "</dl>\n</section>\n");
}

/* A role of seal_list() in words. */
static const char *use_of(const char *role)
{
	if (streq(role, "signing"))
		return "signs and is published";
	if (streq(role, "countersigning"))
		return "signs for those who pinned it";
	return "does not sign any more";
}

static void add_key(struct mx_str *page, const json_t *key)
{
	open_row(page, " class=\"fixed\"", jstr(key, "id"));
	add_code_cell(page, "Public key", jstr(key, "public_key"));
	add_code_cell(page, "Fingerprint", jstr(key, "fingerprint"));
	open_cell(page, "Use");
	mx_str_add_text(page, use_of(jstr(key, "role")));
	if (jint(key, "expired_ts", 0)) {
		mx_str_add_text(page, ", old since ");
		add_time(page, jint(key, "expired_ts", 0));
	}
	mx_str_add_text(page, "</td></tr>\n");
}

static const char keys_intro[] =
	"<p class=\"soft\">Compare them with what its operator published elsewhere before you trust "
	"it. The fingerprint is the start of the key&#39;s SHA-256.</p>\n";

static void add_keys(struct mx_str *page, const json_t *overview)
{
	json_t *key;
	size_t i;

	open_section(page, "keys", "Keys of this notary");
	mx_str_add_text(page, keys_intro);
	mx_str_addf(page, TABLE_HEAD TABLE_BODY, "keys",
		    COLUMN("Key") COLUMN("Public key") COLUMN("Fingerprint") COLUMN("Use"));
	json_array_foreach (jarr(overview, "keys"), i, key)
		add_key(page, key);
	mx_str_add_text(page, TABLE_END "</section>\n");
}

/* ---- origins */

static void add_slow_row(struct mx_str *page, const json_t *state)
{
	open_row(page, "", jstr(state, "server"));
	open_cell(page, "Answered in");
	mx_str_addf(page, "%lld ms</td>", (long long)jint(state, "took_ms", 0));
	add_time_cell(page, "Last answer", jint(state, "last_success_ts", 0));
	mx_str_add_text(page, "</tr>\n");
}

/* In few words: the details may tell a stranger about the notary's own network. */
static const char *failure_of(const char *result)
{
	static const struct {
		const char *result, *words;
	} known[] = {
		{ "REMOTE_TIMEOUT", "no answer in time" },
		{ "BAD_SIGNATURE", "its keys do not verify" },
		{ "CONFLICT", "a key was replaced under its id" },
		{ "TOO_LARGE", "too large an answer" },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (streq(known[i].result, result))
			return known[i].words;
	return "no answer";
}

static void add_failing_row(struct mx_str *page, const json_t *state)
{
	open_row(page, "", jstr(state, "server"));
	open_cell(page, "What is wrong");
	mx_str_addf(page, "<span class=\"bad\">%s</span></td>",
		    failure_of(jstr(state, "last_result")));
	open_cell(page, "Times");
	mx_str_addf(page, "%lld</td>", (long long)jint(state, "failures", 0));
	add_time_cell(page, "Last answer", jint(state, "last_success_ts", 0));
	add_time_cell(page, "Asked again", jint(state, "backed_off_until_ts", 0));
	mx_str_add_text(page, "</tr>\n");
}

struct origins {
	const char *id, *title, *none, *columns;
	void (*add_row)(struct mx_str *page, const json_t *state);
};

static void add_origins(struct mx_str *page, const json_t *overview, const struct origins *shown)
{
	json_t *rows = jarr(overview, shown->id), *state;
	size_t i;

	open_section(page, shown->id, shown->title);
	if (json_array_size(rows) == 0) {
		mx_str_addf(page, "<p class=\"good\">%s</p>\n</section>\n", shown->none);
		return;
	}
	mx_str_addf(page, TABLE_HEAD TABLE_BODY, shown->id, shown->columns);
	json_array_foreach (rows, i, state)
		shown->add_row(page, state);
	mx_str_add_text(page, TABLE_END "</section>\n");
}

static const struct origins failing_origins = {
	.id = "failing",
	.title = "Servers that fail",
	.none = "Every server that was asked lately answered well.",
	.columns = COLUMN("Server") COLUMN("What is wrong") COLUMN("Times") COLUMN("Last answer")
		COLUMN("Asked again"),
	.add_row = add_failing_row,
};

static const struct origins slow_origins = {
	.id = "slow",
	.title = "Slowest answers",
	.none = "No server has been asked yet.",
	.columns = COLUMN("Server") COLUMN("Answered in") COLUMN("Last answer"),
	.add_row = add_slow_row,
};

/* ---- how to use it */

/* The keys that askers should pin: those that sign. */
static void add_pins(struct mx_str *page, const json_t *overview, const char *format)
{
	json_t *key;
	size_t i;

	json_array_foreach (jarr(overview, "keys"), i, key) {
		if (!streq(jstr(key, "role"), "signing"))
			continue;
		for (const char *c = format; *c; c++) {
			if (*c == '#')
				mx_html_add(page, jstr(key, "id"));
			else if (*c == '@')
				mx_html_add(page, jstr(key, "public_key"));
			else
				mx_str_add_char(page, *c);
		}
	}
}

static void add_use(struct mx_str *page, const json_t *overview)
{
	const char *name = jstr(overview, "server_name");

	open_section(page, "use", "Use it");
	mx_str_add_text(page, "<h3>Synapse</h3>\n<pre>trusted_key_servers:\n  - server_name: \"");
	mx_html_add(page, name);
	mx_str_add_text(page, "\"\n    verify_keys:\n");
	add_pins(page, overview, "      &quot;#&quot;: &quot;@&quot;\n");
	mx_str_add_text(page,
			"</pre>\n<h3>Dendrite</h3>\n<pre>key_perspectives:\n  - server_name: ");
	mx_html_add(page, name);
	mx_str_add_text(page, "\n    keys:\n");
	add_pins(page, overview, "      - key_id: #\n        public_key: @\n");
	mx_str_add_text(page, "</pre>\n<h3>Tuwunel</h3>\n<pre>trusted_servers = [\"");
	mx_html_add(page, name);
	mx_str_add_text(page, "\"]</pre>\n</section>\n");
}

static void add_bottom(struct mx_str *page, const json_t *overview)
{
	mx_str_add_text(page, "</main>\n<footer>Trinity ");
	mx_html_add(page, jstr(overview, "version"));
	mx_str_add_text(page, ", at ");
	add_time(page, jint(overview, "now_ts", 0));
	mx_str_add_text(page, ". All times are UTC.</footer>\n</body>\n</html>\n");
}

void status_page_write(const json_t *overview, struct mx_str *page)
{
	mx_str_add_text(page, page_head);
	mx_html_add(page, jstr(overview, "server_name"));
	mx_str_addf(page, "</title>\n<style>%s</style>\n</head>\n<body>\n", page_style);
	add_top(page, overview);
	add_counts(page, overview);
	add_keys(page, overview);
	add_use(page, overview);
	add_origins(page, overview, &failing_origins);
	add_origins(page, overview, &slow_origins);
	add_bottom(page, overview);
}

void status_page_policy(struct mx_str *out)
{
	uint8_t digest[MX_SHA256_LEN];

	mx_sha256(mx_slice(page_style), digest);
	mx_str_add_text(out, "default-src 'none'; style-src 'sha256-");
	mx_base64_add(out, digest, sizeof(digest));
	mx_str_add_text(out, "='; frame-ancestors 'none'; base-uri 'none'; form-action 'none'");
}
