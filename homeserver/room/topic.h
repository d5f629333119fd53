/* Topics. Spec: client-server API, "m.room.topic". */
#pragma once

#include "shared/core/slice.h"

#include <jansson.h>

struct event;
struct mx_arena;

/* The content of a plain topic, in the old form and in the new one; the caller's. */
json_t *topic_content(const char *topic);

/* The topic as plain text; ptr NULL if the event has none. */
struct mx_slice topic_plain(const struct event *event, struct mx_arena *mem);
