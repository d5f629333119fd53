#include "shared/mail/eml.h"

#include "shared/core/alloc.h"

#include <strings.h>

/* Without the line's end. */
static bool next_line(struct mx_slice *rest, struct mx_slice *ret_line)
{
	if (!mx_split_next(rest, '\n', ret_line))
		return false;
	if (ret_line->len && ret_line->ptr[ret_line->len - 1] == '\r')
		ret_line->len--;
	return true;
}

static bool is_folded(struct mx_slice line)
{
	return line.len && (line.ptr[0] == ' ' || line.ptr[0] == '\t');
}

static bool is_header(struct mx_slice line, const char *name)
{
	size_t len = strlen(name);

	return line.len > len && line.ptr[len] == ':' && strncasecmp(line.ptr, name, len) == 0;
}

/* Moves rest behind the empty line; the value of the header, unfolded, goes to out. */
static void read_header(struct mx_slice *rest, const char *name, struct mx_str *out)
{
	bool wanted = false;
	struct mx_slice line;

	while (next_line(rest, &line) && line.len) {
		if (!is_folded(line)) {
			wanted = is_header(line, name);
			if (wanted) {
				line.ptr += strlen(name) + 1;
				line.len -= strlen(name) + 1;
			}
		} else if (wanted) {
			mx_str_add_char(out, ' ');
		}
		if (wanted)
			mx_str_add_slice(out, mx_trim(line));
	}
}

static char *copy(struct mx_slice text)
{
	return mx_strndup(text.ptr, text.len);
}

static void keep_part(struct mx_slice type, struct mx_slice body, struct eml *eml)
{
	bool is_html = type.len >= 9 && strncasecmp(type.ptr, "text/html", 9) == 0;
	bool is_text = type.len == 0 ||
		       (type.len >= 10 && strncasecmp(type.ptr, "text/plain", 10) == 0);

	if (is_html && !eml->html)
		eml->html = copy(body);
	if (is_text && !eml->text)
		eml->text = copy(body);
}

/* Up to the next delimiter line, which rest is moved behind. False if rest was the last part. */
static bool next_part(struct mx_slice *rest, const char *boundary, struct mx_slice *ret_part)
{
	const char *begin = rest->ptr;
	size_t len = strlen(boundary);
	struct mx_slice line;

	while (next_line(rest, &line)) {
		if (line.len < len + 2 || memcmp(line.ptr, "--", 2) != 0 ||
		    memcmp(line.ptr + 2, boundary, len) != 0)
			continue;
		*ret_part = mx_slice_of(begin, (size_t)(line.ptr - begin));
		return true;
	}
	return false;
}

static void read_parts(struct mx_slice body, const char *boundary, struct eml *eml)
{
	struct mx_slice part;

	/* What stands before the first delimiter is for nobody. */
	if (!next_part(&body, boundary, &part))
		return;
	while (next_part(&body, boundary, &part)) {
		mx_str_auto type = { 0 };

		read_header(&part, "Content-Type", &type);
		keep_part(mx_str_slice(&type), part, eml);
	}
}

void eml_read(struct mx_slice message, const char *boundary, struct eml *ret_eml)
{
	struct mx_slice body = message, again = message;
	mx_str_auto subject = { 0 };
	mx_str_auto type = { 0 };
	struct eml eml = { 0 };

	read_header(&body, "Subject", &subject);
	read_header(&again, "Content-Type", &type);
	read_parts(body, boundary, &eml);
	if (!eml.text && !eml.html)
		keep_part(mx_str_slice(&type), body, &eml);
	eml.subject = mx_str_steal(&subject);
	*ret_eml = eml;
}

void eml_done(struct eml *eml)
{
	mx_free(eml->subject);
	mx_free(eml->text);
	mx_free(eml->html);
	*eml = (struct eml){ 0 };
}
