/*
 * Texts with places to fill in, read from directories that an operator copies and edits. Every
 * value is data: it is escaped for where it stands and never read as a template.
 *
 *   {{ name }}            escaped for the file's kind: .html for HTML, others as they are
 *   {{ name|urlencode }}  for a part of a URL
 *   {{ name|e }}          for HTML, whatever the file
 *   {% if name %} … {% else %} … {% endif %}     name is there and not empty; may nest, 8 deep
 *   {# … #}               a comment
 *   %(name)s, %(name_forurl)s, %(name_forhtml)s  the older form, in files named *.eml and, escaped,
 *                         *_template.html
 */
#pragma once

#include "shared/core/slice.h"
#include "shared/core/str.h"

#include <stddef.h>

struct mx_error;
struct template_set;

struct template_value {
	const char *name, *value; /* value NULL = "" */
};

struct template_values {
	const struct template_value *items;
	size_t len;
};

/*
 * directory/BRAND/LANGUAGE/FILE, or directory/BRAND/FILE for every language. What is missing in a
 * brand comes from default_brand, what is missing in a language from default_language, what is
 * missing in both from `builtin` (name → text, NULL-ended pairs; may be NULL). directory may be
 * NULL. Everything is read and parsed at once: -MX_BAD_CONFIG with FILE:LINE for text that is no
 * template, for files over 256 KiB and for more than 64 brands.
 */
struct template_conf {
	const char *directory, *default_brand, *default_language;
	const char *const (*builtin)[2]; /* { "en/verify.txt", "…" }, …, { NULL } */
};

int template_set_load(const struct template_conf *conf, struct template_set **ret_set,
		      struct mx_error *err);
/* All of it anew, or an error and all as it was. */
int template_set_reload(struct template_set *set, const struct template_conf *conf,
			struct mx_error *err);
void template_set_free(struct template_set *set);

/* Whether there is a brand of this name. Anything else is the default: a brand never is a path. */
bool template_has_brand(struct template_set *set, const char *brand);

/* The best language that set has of an Accept-Language header (NULL = none). Borrowed. */
const char *template_language(struct template_set *set, const char *accept_language);

/* Appends the filled-in file. -MX_NOT_FOUND if nobody has it; -MX_TOO_LARGE over 1 MiB. brand and
 * language may be NULL or unknown: the defaults then. Names that values lacks are empty. */
int template_render(struct template_set *set, const char *brand, const char *language,
		    const char *file, const struct template_values *values, struct mx_str *out,
		    struct mx_error *err);
