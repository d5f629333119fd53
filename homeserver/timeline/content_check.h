/* What clients may not say, whatever the room allows: broken relations and mentions. Other servers'
 * events are taken with them.
 * Spec: client-server API, "Forming relationships between events", "User and room mentions". */
#pragma once

#include <jansson.h>
#include <stdbool.h>

struct mx_error;

struct content_relation {
	const char *type, *event_id; /* NULL: the event relates to nothing */
	const char *key; /* of an annotation */
};

/* -MX_BAD_JSON, -MX_TOO_LARGE for the key of an annotation. */
int content_check(const json_t *content, struct mx_error *err);

/* Of a content that was checked. */
struct content_relation content_relation_of(const json_t *content);
