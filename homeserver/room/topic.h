/* Topics. Spec: client-server API, "m.room.topic". */
#pragma once

#include <jansson.h>

/* The content of a plain topic, in the old form and in the new one; the caller's. */
json_t *topic_content(const char *topic);
