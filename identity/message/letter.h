/* One text for people on its way: what is filled in, and the templates that it is filled into. */
#pragma once

#include "identity/message/message.h"
#include "shared/core/str.h"

#define LETTER_VALUES_MAX   64
#define LETTER_BOUNDARY_LEN 40

/* `{ .call = …, .style = …, .err = … }`, then letter_begin(). Values are borrowed. */
struct letter {
	const struct identity_call *call; /* a page needs identity and mem only */
	const struct message_style *style;
	const char *name; /* of the kind: "verification" */
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
