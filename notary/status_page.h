/* The status page for people: HTML without scripts, readable on a phone and by a screen reader. */
#pragma once

#include "shared/core/str.h"

#include <jansson.h>

/* Appends the page that shows overview_json()'s `overview`. */
void status_page_write(const json_t *overview, struct mx_str *page);

/* Appends the Content-Security-Policy that allows the page's own style and nothing else. */
void status_page_policy(struct mx_str *out);
