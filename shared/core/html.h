/* Text for HTML pages and mails. */
#pragma once

#include "shared/core/str.h"

/* Appends text so that it is text in element content and in quoted attributes; NULL adds
 * nothing. */
void mx_html_add(struct mx_str *page, const char *text);
