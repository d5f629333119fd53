/* Pages for people, from templates: in the brand of the request and the language of the reader. */
#pragma once

#include "shared/mail/letter.h"

#include <stdbool.h>

struct req;
struct template_set;

/* Of `brand`, in the query or the body, or of the host that is asked; and of Accept-Language. */
struct letter_style letter_style_of(struct template_set *templates, struct req *r);

struct letter_page {
	const char *file; /* "verify.html", with a "verify.title" beside it */
	struct template_values values;
	int status;
	bool http_links; /* its forms may lead to http:// too */
	const char *policy; /* what it may load besides: "; script-src 'self'"; or NULL */
};

/* Into the reply, with the headers that pages get: nothing may frame it, nor is it cached. What
 * follows a button may be a verify_response_template.html of an older directory. */
int letter_page(const struct letterhead *head, struct req *r, const struct letter_page *page);
