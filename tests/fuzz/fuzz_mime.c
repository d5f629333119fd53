/* A mail as bytes: whatever subject, names and texts say, the headers are those that it has, every
 * line is one for SMTP, and the parts are as many as there should be. NULs divide the input into
 * subject, sender's name, recipient, language, plain and HTML part. */
#include "tests/fuzz/fuzz.h"

#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/mail/mime.h"

#include <strings.h>

#define PIECES          6
#define LINE_MAX_OCTETS 998 /* RFC 5322, 2.1.1 */

struct lines {
	struct mx_slice rest;
};

/* Ends with CRLF, which is left out; of controls it has tabs at most. */
static struct mx_slice next_line(struct lines *lines)
{
	const char *end = memmem(lines->rest.ptr, lines->rest.len, "\r\n", 2);
	struct mx_slice line;

	FUZZ_ASSERT(end);
	line = mx_slice_of(lines->rest.ptr, (size_t)(end - lines->rest.ptr));
	lines->rest.ptr += line.len + 2;
	lines->rest.len -= line.len + 2;
	FUZZ_ASSERT(line.len <= LINE_MAX_OCTETS);
	for (size_t i = 0; i < line.len; i++)
		FUZZ_ASSERT(line.ptr[i] == '\t' ||
			    ((unsigned char)line.ptr[i] >= ' ' && line.ptr[i] != 0x7f));
	return line;
}

/* Which of the headers of a mail this is. */
static unsigned header_of(struct mx_slice line)
{
	static const char *const names[] = { "From: ",           "To: ",
					     "Subject: ",        "Date: ",
					     "Message-ID: ",     "MIME-Version: ",
					     "Auto-Submitted: ", "Content-Language: ",
					     "Content-Type: ",   "Content-Transfer-Encoding: " };

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (line.len >= strlen(names[i]) &&
		    memcmp(line.ptr, names[i], strlen(names[i])) == 0)
			return i;
	FUZZ_ASSERT(!"a header of nobody's");
	return 0;
}

static void headers_are_ours(struct lines *lines)
{
	struct mx_slice line = next_line(lines);
	unsigned met = 0;

	for (; line.len; line = next_line(lines)) {
		unsigned header;

		if (line.ptr[0] == ' ')
			continue;
		header = header_of(line);
		FUZZ_ASSERT(!(met & 1u << header));
		met |= 1u << header;
	}
	FUZZ_ASSERT((met & 0x17f) == 0x17f);
}

/* 0: a single part. */
static void body_has_parts(struct lines *lines, const char *boundary, unsigned parts)
{
	unsigned met = 0;

	while (lines->rest.len) {
		struct mx_slice line = next_line(lines);

		FUZZ_ASSERT(line.len <= 78);
		for (size_t i = 0; i < line.len; i++)
			FUZZ_ASSERT((unsigned char)line.ptr[i] < 0x7f);
		met += parts && line.len >= strlen(boundary) + 2 &&
		       memcmp(line.ptr + 2, boundary, strlen(boundary)) == 0;
	}
	FUZZ_ASSERT(met == parts);
}

static char *boundary_of(const struct mx_str *out)
{
	const char *at = strstr(out->ptr, "\r\n boundary=\"");

	return at ? mx_strndup(at + 13, strcspn(at + 13, "\"")) : mx_strdup("");
}

static void check(const struct mail *mail)
{
	mx_autofree char *boundary = NULL;
	struct mx_error err = { 0 };
	mx_str_auto out = { 0 };
	char id[MAIL_ID_MAX];
	struct lines lines;
	int rc = mail_format(mail, INT64_C(1700000000000), &out, id, &err);

	FUZZ_ASSERT(rc == 0 || (rc == -MX_INVALID_PARAM && err.text[0]));
	if (rc)
		return;
	FUZZ_ASSERT(strlen(out.ptr) == out.len && strstr(out.ptr, id));
	boundary = boundary_of(&out);
	lines = (struct lines){ mx_str_slice(&out) };
	headers_are_ours(&lines);
	body_has_parts(&lines, boundary, mail->html ? 3 : 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *pieces[PIECES] = { 0 };
	mx_autofree char *from = NULL;
	size_t at = 0;

	for (size_t i = 0; i < PIECES; i++) {
		size_t len = at < size ? strnlen((const char *)data + at, size - at) : 0;

		pieces[i] = mx_strndup(at < size ? (const char *)data + at : "", len);
		at += len + 1;
	}
	from = mx_strf("%s <id@example.org>", pieces[1]);
	check(&(struct mail){ .from = from,
			      .to = pieces[2],
			      .subject = pieces[0],
			      .language = *pieces[3] ? pieces[3] : NULL,
			      .text = pieces[4],
			      .html = *pieces[5] ? pieces[5] : NULL });
	for (size_t i = 0; i < PIECES; i++)
		mx_free(pieces[i]);
	return 0;
}
