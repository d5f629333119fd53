#include "shared/core/log.h"

#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/core/utf8.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define VALUE_MAX 512

static _Atomic int lowest_level = MX_LOG_INFO;
static _Atomic int line_format = MX_LOG_TEXT;
static _Thread_local const char *request;

static const char *const level_names[] = { "debug", "info", "warn", "error" };

void mx_log_setup(enum mx_log_level lowest, enum mx_log_format format)
{
	lowest_level = (int)lowest;
	line_format = (int)format;
}

bool mx_log_wants(enum mx_log_level level)
{
	return (int)level >= lowest_level;
}

void mx_log_set_request(const char *request_id)
{
	request = request_id;
}

const char *mx_log_num(int64_t value)
{
	static _Thread_local char ring[8][24];
	static _Thread_local unsigned turn;
	char *text = ring[turn++ % 8];

	snprintf(text, sizeof(ring[0]), "%lld", (long long)value);
	return text;
}

/* Direction marks and overrides (U+061C, U+200E, U+200F, U+202A–202E, U+2066–2069) would let a
 * peer reorder what the operator reads; U+2028 and U+2029 break lines. */
static bool is_deceptive(const char *p, size_t step)
{
	unsigned char a = (unsigned char)p[0], b, c;

	if (step == 2)
		return a == 0xD8 && (unsigned char)p[1] == 0x9C;
	if (step != 3 || a != 0xE2)
		return false;
	b = (unsigned char)p[1];
	c = (unsigned char)p[2];
	return (b == 0x80 && (c == 0x8E || c == 0x8F || (c >= 0xA8 && c <= 0xAE))) ||
	       (b == 0x81 && c >= 0xA6 && c <= 0xA9);
}

/* U+0080–U+009F: terminals obey them as they do ESC. */
static bool is_eight_bit_control(const char *p, size_t step)
{
	return step == 2 && (unsigned char)p[0] == 0xC2 && (unsigned char)p[1] < 0xA0;
}

static void add_escaped(struct mx_str *line, const char *value)
{
	struct mx_slice rest = mx_slice_of(value, strnlen(value, VALUE_MAX));

	mx_str_add_char(line, '"');
	while (rest.len) {
		size_t step = mx_utf8_step(rest);
		unsigned char c = (unsigned char)rest.ptr[0];

		if (c == '"' || c == '\\')
			mx_str_addf(line, "\\%c", c);
		else if (c < 0x20 || c == 0x7F || step == 0)
			mx_str_addf(line, "\\u%04x", c);
		else if (is_eight_bit_control(rest.ptr, step))
			mx_str_addf(line, "\\u%04x", (unsigned char)rest.ptr[1]);
		else if (is_deceptive(rest.ptr, step))
			mx_str_add_text(line, "\\ufffd");
		else
			mx_str_add(line, rest.ptr, step);
		rest.ptr += step ? step : 1;
		rest.len -= step ? step : 1;
	}
	mx_str_add_char(line, '"');
}

static void add_field(struct mx_str *line, const char *key, const char *value)
{
	if (line_format == MX_LOG_JSON)
		mx_str_addf(line, ",\"%s\":", key);
	else
		mx_str_addf(line, " %s=", key);
	add_escaped(line, value);
}

static void add_head(struct mx_str *line, enum mx_log_level level, const char *text)
{
	int64_t now = mx_now_ms();
	time_t seconds = now / 1000;
	struct tm tm;
	char stamp[32];

	gmtime_r(&seconds, &tm);
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &tm);
	if (line_format == MX_LOG_JSON) {
		mx_str_addf(line, "{\"time\":\"%s.%03dZ\",\"level\":\"%s\",\"text\":", stamp,
			    (int)(now % 1000), level_names[level]);
		add_escaped(line, text);
		return;
	}
	mx_str_addf(line, "%s.%03dZ %-5s %s", stamp, (int)(now % 1000), level_names[level], text);
}

void mx_log(enum mx_log_level level, const char *text, ...)
{
	mx_str_auto line = { 0 };
	const char *key;
	va_list args;

	if (!mx_log_wants(level))
		return;
	add_head(&line, level, text);
	if (request)
		add_field(&line, "request", request);
	va_start(args, text);
	while ((key = va_arg(args, const char *))) {
		const char *value = va_arg(args, const char *);

		if (value)
			add_field(&line, key, value);
	}
	va_end(args);
	mx_str_add_text(&line, line_format == MX_LOG_JSON ? "}\n" : "\n");
	/* One write, so that lines of different threads do not mix. */
	if (write(STDERR_FILENO, line.ptr, line.len) < 0)
		return;
}
