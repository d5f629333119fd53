/* Bodies as HTML forms send them: application/x-www-form-urlencoded. WHATWG URL, 5. */
#pragma once

#include "shared/core/slice.h"

#include <jansson.h>
#include <stdbool.h>

struct mx_arena;
struct mx_error;
struct target;

#define FORM_PAIRS_MAX 256

/* Whether a body is JSON where forms are accepted too: its Content-Type says so, or it begins as
 * no form does. */
bool form_is_json(struct mx_slice content_type, struct mx_slice body);

/* Adds the form's pairs to the object as strings; of a repeated name the first counts.
 * -MX_INVALID_PARAM for broken escapes, %00, invalid UTF-8 and too many pairs. */
int form_read(struct mx_slice body, struct mx_arena *mem, json_t *object, struct mx_error *err);

/* Adds those pairs of the query that the object lacks, as strings. */
void form_fill(json_t *object, const struct target *target);
