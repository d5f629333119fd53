#include "shared/mail/mime.h"

#include "shared/core/base64.h"
#include "shared/core/error.h"
#include "shared/core/rand.h"
#include "shared/core/time.h"
#include "shared/core/utf8.h"

#include <stdio.h>
#include <time.h>

#define QUOTED_LINE_MAX  76
#define WORD_BYTES       42 /* an encoded word has at most 75 characters in all */
#define HEADER_BYTES_MAX 2000
#define BOUNDARY_LEN     32
#define LINE_BYTES_MAX   900 /* of what is not folded: RFC 5322, 2.1.1 wants lines of 998 */
#define FROM_MAX         400

/* ---- header values */

static bool is_plain(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text >= 0x80)
			return false;
	return true;
}

/* One line, whatever was put into it: the only way into a header leads through here. */
static int check_value(const char *name, const char *text, struct mx_error *err)
{
	for (const char *at = text; *at; at++)
		if ((unsigned char)*at < 0x20 || *at == 0x7F)
			return mx_fail(err, MX_INVALID_PARAM, "A control in the %s of a mail",
				       name);
	if (strlen(text) > HEADER_BYTES_MAX || !mx_utf8_valid(mx_slice(text)))
		return mx_fail(err, MX_INVALID_PARAM, "The %s of a mail is too long or no text",
			       name);
	return 0;
}

/* As many whole characters as fit into one encoded word. */
static size_t word_len(const char *text)
{
	size_t len = strlen(text);

	if (len <= WORD_BYTES)
		return len;
	for (len = WORD_BYTES; ((unsigned char)text[len] & 0xC0) == 0x80; len--)
		continue;
	return len;
}

/* RFC 2047, 4.1: unlike Matrix, mail pads base64. */
static void add_words(struct mx_str *out, const char *text)
{
	static const char *const padding[] = { "", "==", "=" };

	while (*text) {
		size_t len = word_len(text);

		mx_str_add_text(out, "=?UTF-8?B?");
		mx_base64_add(out, text, len);
		mx_str_addf(out, "%s?=%s", padding[len % 3], text[len] ? "\r\n " : "");
		text += len;
	}
}

static void add_text(struct mx_str *out, const char *text)
{
	if (is_plain(text) && strlen(text) < QUOTED_LINE_MAX && !strstr(text, "=?"))
		mx_str_add_text(out, text);
	else
		add_words(out, text);
}

static void add_name(struct mx_str *out, struct mx_slice name)
{
	mx_str_auto text = { 0 };

	mx_str_add_slice(&text, name);
	if (!is_plain(text.ptr)) {
		add_words(out, text.ptr);
		return;
	}
	mx_str_add_char(out, '"');
	for (const char *at = text.ptr; *at; at++) {
		if (*at == '"' || *at == '\\')
			mx_str_add_char(out, '\\');
		mx_str_add_char(out, *at);
	}
	mx_str_add_char(out, '"');
}

/* The address in "Name <address>", or all of it. */
static struct mx_slice address_in(struct mx_slice from, struct mx_slice *ret_name)
{
	const char *open = memchr(from.ptr, '<', from.len);

	*ret_name = mx_slice("");
	if (!open || from.ptr[from.len - 1] != '>')
		return from;
	*ret_name = mx_trim(mx_slice_of(from.ptr, (size_t)(open - from.ptr)));
	if (ret_name->len > 1 && ret_name->ptr[0] == '"' && ret_name->ptr[ret_name->len - 1] == '"')
		*ret_name = mx_slice_of(ret_name->ptr + 1, ret_name->len - 2);
	return mx_slice_of(open + 1, from.len - (size_t)(open + 1 - from.ptr) - 1);
}

struct mx_slice mail_from_address(const char *from)
{
	struct mx_slice name;

	return address_in(mx_trim(mx_slice(from)), &name);
}

static void add_from(struct mx_str *out, const char *from)
{
	struct mx_slice name, address = address_in(mx_trim(mx_slice(from)), &name);

	mx_str_add_text(out, "From: ");
	if (name.len > 0) {
		add_name(out, name);
		mx_str_add_text(out, " ");
	}
	mx_str_addf(out, "<%.*s>\r\n", MX_SLICE_ARG(address));
}

/* RFC 5322, 3.3; names of days and months are English whatever the locale is. */
static void add_date(struct mx_str *out, int64_t now_ms)
{
	static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t seconds = (time_t)(now_ms / MX_SECOND_MS);
	struct tm at;

	gmtime_r(&seconds, &at);
	mx_str_addf(out, "Date: %s, %d %s %d %02d:%02d:%02d +0000\r\n", days[at.tm_wday],
		    at.tm_mday, months[at.tm_mon], at.tm_year + 1900, at.tm_hour, at.tm_min,
		    at.tm_sec);
}

static void make_id(const char *from, char ret_id[MAIL_ID_MAX])
{
	struct mx_slice address = mail_from_address(from);
	const char *at = memchr(address.ptr, '@', address.len);
	char random[33];

	mx_random_token(random, 32);
	snprintf(ret_id, MAIL_ID_MAX, "<%s@%.*s>", random,
		 at ? (int)(address.ptr + address.len - at - 1) : 9, at ? at + 1 : "localhost");
}

/* ---- bodies: quoted-printable, RFC 2045, 6.7 */

static bool is_line_end(const char *text)
{
	return text[0] == '\0' || text[0] == '\n' || (text[0] == '\r' && text[1] == '\n');
}

static size_t quoted_len(const char *at)
{
	unsigned char c = (unsigned char)*at;

	if (c == ' ' || c == '\t')
		return is_line_end(at + 1) ? 3 : 1; /* blanks at a line's end get lost */
	return c > 0x20 && c < 0x7F && c != '=' ? 1 : 3;
}

static void add_quoted(struct mx_str *out, const char *text)
{
	size_t column = 0;

	for (const char *at = text; *at; at++) {
		size_t len = quoted_len(at);

		if (*at == '\n') {
			mx_str_add_text(out, "\r\n");
			column = 0;
			continue;
		}
		if (at[0] == '\r' && at[1] == '\n')
			continue;
		if (column + len >= QUOTED_LINE_MAX) {
			mx_str_add_text(out, "=\r\n");
			column = 0;
		}
		if (len == 1)
			mx_str_add_char(out, *at);
		else
			mx_str_addf(out, "=%02X", (unsigned char)*at);
		column += len;
	}
	if (column > 0)
		mx_str_add_text(out, "\r\n");
}

static void add_part(struct mx_str *out, const char *type, const char *text)
{
	mx_str_addf(out,
		    "Content-Type: text/%s; charset=utf-8\r\n"
		    "Content-Transfer-Encoding: quoted-printable\r\n\r\n",
		    type);
	add_quoted(out, text);
}

static void add_alternatives(struct mx_str *out, const struct mail *mail)
{
	char boundary[BOUNDARY_LEN + 1];

	/* Unguessable, so that no text can pretend to end its part. */
	mx_random_token(boundary, BOUNDARY_LEN);
	mx_str_addf(out, "Content-Type: multipart/alternative;\r\n boundary=\"%s\"\r\n\r\n--%s\r\n",
		    boundary, boundary);
	add_part(out, "plain", mail->text);
	mx_str_addf(out, "\r\n--%s\r\n", boundary);
	add_part(out, "html", mail->html);
	mx_str_addf(out, "\r\n--%s--\r\n", boundary);
}

/* ---- all of it */

static bool fits_line(const char *value)
{
	return !value || strlen(value) <= LINE_BYTES_MAX;
}

static int check_mail(const struct mail *mail, struct mx_error *err)
{
	const struct {
		const char *name, *value;
	} values[] = {
		{ "sender", mail->from },       { "recipient", mail->to },
		{ "subject", mail->subject },   { "unsubscribe URL", mail->list_unsubscribe },
		{ "language", mail->language },
	};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(values) / sizeof(values[0]); i++)
		if (values[i].value)
			rc = check_value(values[i].name, values[i].value, err);
	if (rc == 0 && (!fits_line(mail->list_unsubscribe) || !fits_line(mail->language)))
		rc = mx_fail(err, MX_INVALID_PARAM, "A header of a mail is too long");
	if (rc == 0 &&
	    (strlen(mail->from) > FROM_MAX || !fits_line(mail->to) || strpbrk(mail->to, " <>,;\"")))
		rc = mx_fail(err, MX_INVALID_PARAM, "A mail goes from and to one address");
	return rc;
}

int mail_format(const struct mail *mail, int64_t now_ms, struct mx_str *out,
		char ret_id[MAIL_ID_MAX], struct mx_error *err)
{
	int rc = check_mail(mail, err);

	if (rc)
		return rc;
	make_id(mail->from, ret_id);
	add_from(out, mail->from);
	mx_str_addf(out, "To: <%s>\r\nSubject: ", mail->to);
	add_text(out, mail->subject);
	mx_str_add_text(out, "\r\n");
	add_date(out, now_ms);
	mx_str_addf(out,
		    "Message-ID: %s\r\nMIME-Version: 1.0\r\nAuto-Submitted: auto-generated\r\n",
		    ret_id);
	if (mail->language)
		mx_str_addf(out, "Content-Language: %s\r\n", mail->language);
	if (mail->list_unsubscribe)
		mx_str_addf(out, "List-Unsubscribe: <%s>\r\n", mail->list_unsubscribe);
	if (mail->html)
		add_alternatives(out, mail);
	else
		add_part(out, "plain", mail->text);
	return 0;
}
