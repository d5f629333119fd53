/* What an event says that it belongs to.
 * Spec: client-server API, "Forming relationships between events". */
#pragma once

#include "shared/core/slice.h"

#include <stdbool.h>

struct event;
struct mx_arena;

#define REL_ANNOTATION "m.annotation"
#define REL_REFERENCE  "m.reference"
#define REL_REPLACE    "m.replace"
#define REL_THREAD     "m.thread"

struct event_relation {
	struct mx_slice parent_id, type;
	struct mx_slice key; /* of an annotation; may be empty */
};

/* False for what is no relation: of state, without a parent or a type. In the event or mem. */
bool event_relation_of(const struct event *event, struct mx_arena *mem,
		       struct event_relation *ret_relation);
