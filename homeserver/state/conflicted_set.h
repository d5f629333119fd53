/* The full conflicted set. Spec: room versions 2 and 12, "Definitions". */
#pragma once

#include "homeserver/state/resolution.h"

/* Numbers in order, in the resolution's memory. With the conflicted state subgraph where the
 * version has it. */
void full_conflicted_set(struct resolution *resolution, struct numbers *ret_set);
