#include "shared/mail/letter.h"

#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/rand.h"
#include "shared/core/str.h"

#include <strings.h>
#include <time.h>

#define MESSAGE_ID_LEN 22
#define LINE_MAX_BYTES 200 /* longer subjects are cut off by most readers anyway */
#define DATE_MAX       40

/* ---- values */

void letter_add(struct letter *letter, const char *name, const char *value)
{
	if (letter->values.len == LETTER_VALUES_MAX)
		return;
	letter->items[letter->values.len++] = (struct template_value){ name, value };
	letter->values.items = letter->items;
}

static const char *date_of(const struct letter *letter)
{
	char *text = mx_arena_alloc(letter->mem, DATE_MAX);
	time_t seconds = (time_t)(letter->now_ms / 1000);
	struct tm date;

	gmtime_r(&seconds, &date);
	strftime(text, DATE_MAX, "%a, %d %b %Y %H:%M:%S +0000", &date);
	return text;
}

static const char *message_id(const struct letter *letter)
{
	char random[MESSAGE_ID_LEN + 1];

	mx_random_token(random, MESSAGE_ID_LEN);
	return mx_arena_strf(letter->mem, "<%s@%s>", random, letter->head->service_name);
}

/* Of two with one name the first counts. */
void letter_begin(struct letter *letter, const struct template_values *values)
{
	const struct letterhead *head = letter->head;
	const char *language = letter->style->language;

	mx_random_token(letter->boundary, LETTER_BOUNDARY_LEN);
	letter_add(letter, "multipart_boundary", letter->boundary);
	letter_add(letter, "service_name", head->service_name);
	letter_add(letter, "service_url", head->service_url);
	letter_add(letter, "language", language ? language : head->language);
	letter_add(letter, "from", head->from);
	letter_add(letter, "date", date_of(letter));
	letter_add(letter, "messageid", message_id(letter));
	for (size_t i = 0; i < values->len; i++)
		letter_add(letter, values->items[i].name, values->items[i].value);
}

const char *letter_value(const struct letter *letter, const char *name)
{
	for (size_t i = 0; i < letter->values.len; i++)
		if (streq(letter->items[i].name, name))
			return letter->items[i].value;
	return NULL;
}

/* ---- rendering */

int letter_render(const struct letter *letter, const char *file, struct mx_str *out)
{
	return template_render(letter->head->templates, letter->style->brand,
			       letter->style->language, file, &letter->values, out, letter->err);
}

void letter_tidy(struct mx_str *line)
{
	struct mx_slice text;

	for (size_t i = 0; i < line->len; i++)
		if ((unsigned char)line->ptr[i] < ' ' || line->ptr[i] == 0x7f)
			line->ptr[i] = ' ';
	text = mx_trim(mx_str_slice(line));
	if (text.len > LINE_MAX_BYTES) {
		text.len = LINE_MAX_BYTES;
		while (text.len && ((unsigned char)text.ptr[text.len] & 0xc0) == 0x80)
			text.len--;
	}
	if (text.len)
		memmove(line->ptr, text.ptr, text.len);
	line->len = text.len;
	if (line->ptr)
		line->ptr[line->len] = '\0';
}

static bool is_document(const struct mx_str *html)
{
	struct mx_slice text = mx_trim(mx_str_slice(html));

	return text.len >= 9 && (strncasecmp(text.ptr, "<!doctype", 9) == 0 ||
				 strncasecmp(text.ptr, "<html", 5) == 0);
}

int letter_html(const struct letter *letter, const char *file, const char *frame,
		struct mx_str *out)
{
	mx_autofree char *head = mx_strf("%s_head.html", frame);
	mx_autofree char *foot = mx_strf("%s_foot.html", frame);
	mx_str_auto inner = { 0 };
	int rc = letter_render(letter, file, &inner);

	if (rc == 0 && is_document(&inner)) {
		mx_str_add_slice(out, mx_str_slice(&inner));
		return 0;
	}
	if (rc == 0)
		rc = letter_render(letter, head, out);
	if (rc)
		return rc;
	mx_str_add_slice(out, mx_str_slice(&inner));
	return letter_render(letter, foot, out);
}
