/* One text for people on its way: what is filled in, and the templates that it is filled into. */
#pragma once

#include "shared/core/str.h"
#include "shared/mail/eml.h"
#include "shared/mail/mime.h"
#include "shared/mail/template.h"

#include <stdint.h>

struct mail_address;
struct mx_arena;
struct mx_error;

#define LETTER_VALUES_MAX   64
#define LETTER_BOUNDARY_LEN 40

struct letter_style {
	const char *brand, *language; /* of the query and Accept-Language; may be NULL */
};

/* Who writes. */
struct letterhead {
	struct template_set *templates;
	const char *service_name, *service_url;
	const char *language; /* where a style says none */
	const char *from; /* of mails; may be NULL otherwise */
};

/* `{ .head = …, .style = …, .mem = …, .now_ms = …, .err = … }`, then letter_begin() or
 * letter_write(). All is borrowed. */
struct letter {
	const struct letterhead *head;
	const struct letter_style *style;
	const char *name; /* of the kind: "verification" */
	struct mx_arena *mem;
	int64_t now_ms;
	struct template_value items[LETTER_VALUES_MAX];
	struct template_values values;
	char boundary[LETTER_BOUNDARY_LEN + 1];
	struct mx_error *err;
};

/* Of two values with one name the first counts. */
void letter_add(struct letter *letter, const char *name, const char *value);
/* The standard values, then these. */
void letter_begin(struct letter *letter, const struct template_values *values);
/* NULL without it. */
const char *letter_value(const struct letter *letter, const char *name);

/* Appends the filled-in file. */
int letter_render(const struct letter *letter, const char *file, struct mx_str *out);
/* The same between FRAME_head.html and FRAME_foot.html, unless it is a whole document of the
 * operator's own. */
int letter_html(const struct letter *letter, const char *file, const char *frame,
		struct mx_str *out);

/* Makes it one line without controls, not too long, cut between characters. */
void letter_tidy(struct mx_str *line);

/* Borrows from the letter and from eml. Release with eml_done(). */
struct letter_mail {
	struct eml eml;
	struct mail mail;
};

/* NAME.subject, NAME.txt and NAME.html, or a single NAME_template.eml[.j2] of an older directory;
 * with the standard values: to, from, date, messageid, multipart_boundary, name and URL of the
 * service. -MX_NOT_FOUND without templates. */
int letter_write(struct letter *letter, const struct template_values *values,
		 const struct mail_address *to, struct letter_mail *ret_mail);
