/* event_fields of a filter: which members of an event a client wants. Spec: client-server API,
 * "Filtering"; appendices, "Dot-separated property paths". */
#pragma once

#include "shared/core/slice.h"
#include "shared/json/scan.h"

struct filter_fields;
struct mx_arena;
struct mx_str;

#define FILTER_FIELDS_MAX   500
#define FILTER_FIELDS_DEPTH 8 /* of what is below that, everything is wanted */

/* Of an array of at most FILTER_FIELDS_MAX strings. All of it lives in mem. */
const struct filter_fields *filter_fields_new(const struct mx_json_doc *doc, uint32_t list,
					      struct mx_arena *mem);
/* Appends the object with those members only. */
void filter_fields_project(const struct filter_fields *fields, struct mx_slice object,
			   struct mx_str *out);
