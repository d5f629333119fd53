/* A template and a value for all of its names: the value never becomes markup, another line of a
 * whole mail, or a template. The first byte is the form; a NUL divides template and value. */
#include "tests/fuzz/fuzz.h"

#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/mail/template.h"
#include "shared/mail/template_text.h"

static size_t count(struct mx_slice text, const char *set)
{
	size_t found = 0;

	for (size_t i = 0; i < text.len; i++)
		found += text.ptr[i] && strchr(set, text.ptr[i]) != NULL;
	return found;
}

/* Of what the template itself says, nothing is said twice. */
static void nothing_is_added(enum template_form form, struct mx_slice text,
			     const struct mx_str *filled)
{
	struct mx_slice out = mx_str_slice(filled);

	if (form == TEMPLATE_HTML)
		FUZZ_ASSERT(count(out, "<>\"'") <= count(text, "<>\"'"));
	if (form == TEMPLATE_MAIL || form == TEMPLATE_OLD_MAIL)
		FUZZ_ASSERT(count(out, "\r\n") <= count(text, "\r\n"));
}

static void fill(const struct template_text *template, enum template_form form,
		 struct mx_slice text, const char *value)
{
	/* One-letter names and some that stand in the corpus. */
	static const char *const names[] = { "a", "b", "name", "link", "token", "x_forhtml" };
	struct template_value items[sizeof(names) / sizeof(names[0])];
	const struct template_values values = { items, sizeof(names) / sizeof(names[0]) };
	mx_str_auto out = { 0 }, again = { 0 };
	struct mx_error err = { 0 };
	int rc;

	for (size_t i = 0; i < values.len; i++)
		items[i] = (struct template_value){ names[i], i == 1 ? NULL : value };
	rc = template_text_fill(template, &values, &out, &err);
	FUZZ_ASSERT(rc == 0 || rc == -MX_TOO_LARGE);
	FUZZ_ASSERT(rc || out.len <= TEMPLATE_OUT_MAX);
	if (rc)
		return;
	nothing_is_added(form, text, &out);
	FUZZ_ASSERT(template_text_fill(template, &values, &again, NULL) == 0);
	FUZZ_ASSERT(mx_slice_eq(mx_str_slice(&out), mx_str_slice(&again)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct template_text *template;
	struct mx_error err = { 0 };
	mx_autofree char *value = NULL;
	enum template_form form;
	struct mx_slice text;
	const char *cut;
	int rc;

	if (size == 0)
		return 0;
	form = (enum template_form)(data[0] % (TEMPLATE_OLD_MAIL + 1));
	text = mx_slice_of((const char *)data + 1, size - 1);
	cut = text.len ? memchr(text.ptr, '\0', text.len) : NULL;
	if (cut) {
		value = mx_strndup(cut + 1, (size_t)(text.ptr + text.len - cut) - 1);
		text.len = (size_t)(cut - text.ptr);
	}
	rc = template_text_parse(text, form, &template, &err);
	FUZZ_ASSERT(rc == 0 || (rc == -MX_BAD_CONFIG && err.text[0]));
	if (rc)
		return 0;
	fill(template, form, text, value ? value : "<\"'&>\r\n{{ a }}%(a)s");
	template_text_free(template);
	return 0;
}
