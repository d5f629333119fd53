/* What the homeserver does now and then by itself. */
#pragma once

#include "shared/daemon/chores.h"

extern const struct chore upkeep_chores[];
extern const size_t upkeep_chores_len;
