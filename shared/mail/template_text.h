/* One template: its text, taken apart once and filled in often. See template.h for the form. */
#pragma once

#include "shared/core/slice.h"
#include "shared/core/str.h"

struct mx_error;
struct template_text;
struct template_values;

enum template_form {
	TEMPLATE_TEXT, /* values as they are */
	TEMPLATE_HTML, /* values escaped */
	TEMPLATE_MAIL, /* a whole message (*.eml.j2): escaped unless |safe; never a line break */
	TEMPLATE_OLD_MAIL, /* *.eml: the same with %(name)s */
	TEMPLATE_OLD_PAGE, /* *_template.html: %(name)s, values escaped */
};

/* By the name's end. */
enum template_form template_form_of(const char *file);

/* -MX_BAD_CONFIG with "LINE: why". Copies text. */
int template_text_parse(struct mx_slice text, enum template_form form,
			struct template_text **ret_template, struct mx_error *err);
void template_text_free(struct template_text *template);

/* -MX_TOO_LARGE if out would be longer than TEMPLATE_OUT_MAX. */
int template_text_fill(const struct template_text *template, const struct template_values *values,
		       struct mx_str *out, struct mx_error *err);

#define TEMPLATE_OUT_MAX (1024u * 1024)
