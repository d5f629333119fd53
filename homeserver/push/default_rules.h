/* The rules of notifications that every user has. Spec: client-server API, "Predefined Rules". */
#pragma once

#include <jansson.h>

/* {"override": […], "content": [], "room": [], "sender": [], "underride": […]}. */
json_t *default_rules_new(const char *user_id);
