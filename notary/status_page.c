#include "notary/status_page.h"

#include "shared/core/html.h"
#include "shared/core/time.h"
#include "shared/json/json.h"

#include <time.h>

static const char page_head[] =
	"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	"<meta name=\"color-scheme\" content=\"light dark\">\n<title>";

static const char page_style[] =
	"</title>\n<style>\n"
	":root{--ink:#1b2430;--soft:#566273;--line:#d5dbe3;--card:#fff;--ground:#f3f5f8;"
	"--mark:#0b5cad;--good:#176b3a;--bad:#9f2a1d}\n"
	"@media (prefers-color-scheme:dark){:root{--ink:#e7ecf3;--soft:#a5b1c2;--line:#39434f;"
	"--card:#1d242d;--ground:#12171d;--mark:#7db8f5;--good:#7fd3a0;--bad:#f2a093}}\n"
	"*{box-sizing:border-box}\n"
	"body{margin:0;background:var(--ground);color:var(--ink);"
	"font:1rem/1.5 system-ui,sans-serif}\n"
	"main{max-width:62rem;margin:0 auto;padding:1rem}\n"
	"h1{font-size:1.6rem;line-height:1.25;margin:.5rem 0;overflow-wrap:anywhere}\n"
	"h2{font-size:1.15rem;margin:0 0 .5rem}\n"
	"section{background:var(--card);border:1px solid var(--line);border-radius:.6rem;"
	"padding:1rem;margin:1rem 0}\n"
	"p{margin:.25rem 0 .75rem}\n.soft{color:var(--soft)}\n"
	"dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(9rem,1fr));gap:.75rem;"
	"margin:0}\ndl div{border-left:3px solid var(--mark);padding-left:.6rem}\n"
	"dt{color:var(--soft);font-size:.9rem}\ndd{margin:0;font-size:1.3rem;font-weight:600}\n"
	"table{width:100%;border-collapse:collapse}\n"
	"th,td{text-align:left;padding:.4rem .6rem .4rem 0;border-bottom:1px solid var(--line);"
	"vertical-align:top}\n"
	"th{color:var(--soft);font-weight:600;font-size:.9rem;white-space:nowrap}\n"
	"td:first-child{overflow-wrap:anywhere}\ntd:first-child code{white-space:nowrap}\n"
	"code,pre{font-family:ui-monospace,monospace;font-size:.9rem;overflow-wrap:anywhere}\n"
	"pre{background:var(--ground);border-radius:.4rem;padding:.75rem;overflow-x:auto;"
	"white-space:pre-wrap;margin:.25rem 0 1rem}\n"
	"h3{font-size:1rem;margin:.75rem 0 .25rem}\n"
	".good{color:var(--good)}\n.bad{color:var(--bad)}\n"
	"@media (max-width:40rem){table,tbody,tr,td{display:block}\n"
	"thead{position:absolute;clip-path:inset(50%);height:1px;width:1px;overflow:hidden}\n"
	"td{border:0;padding:.1rem 0}\ntr{border-bottom:1px solid var(--line);padding:.5rem 0;"
	"display:block}\ntd::before{content:attr(data-label) \": \";color:var(--soft)}}\n"
	"</style>\n</head>\n<body>\n<main>\n";

#define COLUMN(title) "<th role=\"columnheader\" scope=\"col\">" title "</th>"

#define TABLE_HEAD "<table role=\"table\">\n<thead role=\"rowgroup\"><tr role=\"row\">"
#define TABLE_BODY "</tr></thead>\n<tbody role=\"rowgroup\">\n"

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
	char stamp[32];
	struct tm tm;

	if (time_ms <= 0) {
		mx_str_add_text(page, "never");
		return;
	}
	gmtime_r(&seconds, &tm);
	strftime(stamp, sizeof(stamp), "%Y-%m-%d %H:%M UTC", &tm);
	mx_str_add_text(page, stamp);
}

static void open_cell(struct mx_str *page, const char *label)
{
	/* The roles: on a phone the cells are blocks, which would end the table for screen readers.
	 */
	mx_str_addf(page, "<td role=\"cell\" data-label=\"%s\">", label);
}

static void add_cell(struct mx_str *page, const char *label, const char *text)
{
	open_cell(page, label);
	mx_html_add(page, text);
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
			      "servers. Trinity ");
	mx_html_add(page, jstr(overview, "version"));
	mx_str_add_text(page, ", up for ");
	add_duration(page, jint(overview, "uptime_s", 0));
	mx_str_add_text(page, ".</p>\n</header>\n");
}

static void add_key(struct mx_str *page, const json_t *key)
{
	mx_str_add_text(page, "<tr role=\"row\">");
	open_cell(page, "Key");
	mx_str_add_text(page, "<code>");
	mx_html_add(page, jstr(key, "id"));
	mx_str_add_text(page, "</code></td>");
	open_cell(page, "Public key");
	mx_str_add_text(page, "<code>");
	mx_html_add(page, jstr(key, "public_key"));
	mx_str_add_text(page, "</code></td>");
	open_cell(page, "Fingerprint");
	mx_str_add_text(page, "<code>");
	mx_html_add(page, jstr(key, "fingerprint"));
	mx_str_add_text(page, "</code></td>");
	add_cell(page, "Use", jstr(key, "role"));
	mx_str_add_text(page, "</tr>\n");
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
	mx_str_add_text(page, TABLE_HEAD COLUMN("Key") COLUMN("Public key") COLUMN("Fingerprint")
				      COLUMN("Use") TABLE_BODY);
	json_array_foreach (jarr(overview, "keys"), i, key)
		add_key(page, key);
	mx_str_add_text(page, "</tbody>\n</table>\n</section>\n");
}

static void add_counts(struct mx_str *page, const json_t *overview)
{
	static const struct {
		const char *key, *label;
	} shown[] = {
		{ "servers", "Servers known" },    { "versions", "Sets of keys" },
		{ "kept_fresh", "Kept fresh" },    { "in_flight", "Being asked now" },
		{ "backed_off", "Not answering" }, { "conflicts", "Conflicting keys" },
	};
	const json_t *counts = jobj(overview, "counts");

	open_section(page, "counts", "What it knows");
	mx_str_add_text(page, "<dl>\n");
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
		mx_str_addf(page, "<div><dt>%s</dt><dd>%lld</dd></div>\n", shown[i].label,
			    (long long)jint(counts, shown[i].key, 0));
	mx_str_add_text(page, "</dl>\n</section>\n");
}

static void add_slow_row(struct mx_str *page, const json_t *state)
{
	mx_str_add_text(page, "<tr role=\"row\">");
	add_cell(page, "Server", jstr(state, "server"));
	open_cell(page, "Answered in");
	mx_str_addf(page, "%lld ms</td>", (long long)jint(state, "took_ms", 0));
	open_cell(page, "Last answer");
	add_time(page, jint(state, "last_success_ts", 0));
	mx_str_add_text(page, "</td></tr>\n");
}

static void add_failing_row(struct mx_str *page, const json_t *state)
{
	mx_str_add_text(page, "<tr role=\"row\">");
	add_cell(page, "Server", jstr(state, "server"));
	open_cell(page, "Failures");
	mx_str_addf(page, "<span class=\"bad\">%lld</span></td>",
		    (long long)jint(state, "failures", 0));
	open_cell(page, "Last answer");
	add_time(page, jint(state, "last_success_ts", 0));
	mx_str_add_text(page, "</td>");
	open_cell(page, "Asked again");
	add_time(page, jint(state, "backed_off_until_ts", 0));
	mx_str_add_text(page, "</td></tr>\n");
}

static void add_rows(struct mx_str *page, const json_t *rows, const char *head, const char *none,
		     void (*add_row)(struct mx_str *page, const json_t *state))
{
	json_t *state;
	size_t i;

	if (json_array_size(rows) == 0) {
		mx_str_addf(page, "<p class=\"good\">%s</p>\n</section>\n", none);
		return;
	}
	mx_str_addf(page, TABLE_HEAD "%s" TABLE_BODY, head);
	json_array_foreach (rows, i, state)
		add_row(page, state);
	mx_str_add_text(page, "</tbody>\n</table>\n</section>\n");
}

static void add_origins(struct mx_str *page, const json_t *overview)
{
	open_section(page, "failing", "Servers that do not answer");
	add_rows(page, jarr(overview, "failing"),
		 COLUMN("Server") COLUMN("Failures") COLUMN("Last answer") COLUMN("Asked again"),
		 "Every server that was asked lately answered.", add_failing_row);
	open_section(page, "slow", "Slowest answers");
	add_rows(page, jarr(overview, "slow"),
		 COLUMN("Server") COLUMN("Answered in") COLUMN("Last answer"),
		 "No server has been asked yet.", add_slow_row);
}

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

void status_page_write(const json_t *overview, struct mx_str *page)
{
	mx_str_add_text(page, page_head);
	mx_str_add_text(page, "Key notary ");
	mx_html_add(page, jstr(overview, "server_name"));
	mx_str_add_text(page, page_style);
	add_top(page, overview);
	add_keys(page, overview);
	add_counts(page, overview);
	add_use(page, overview);
	add_origins(page, overview);
	mx_str_add_text(page, "</main>\n</body>\n</html>\n");
}
