#include "shared/core/html.h"

static const char *entity_of(char c)
{
	switch (c) {
	case '&': return "&amp;";
	case '<': return "&lt;";
	case '>': return "&gt;";
	case '"': return "&quot;";
	case '\'': return "&#39;";
	default: return NULL;
	}
}

void mx_html_add(struct mx_str *page, const char *text)
{
	for (; text && *text; text++) {
		const char *entity = entity_of(*text);

		if (entity)
			mx_str_add_text(page, entity);
		else
			mx_str_add_char(page, *text);
	}
}
