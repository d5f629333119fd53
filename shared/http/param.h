/* Types of path parameters. */
#pragma once

#include "shared/core/slice.h"

struct param_type;

/* Of the daemon's list (may be NULL), else built in: server_name, user_id, room_id, event_id,
 * key_id. NULL if unknown. */
const struct param_type *param_type_find(const struct param_type *types, struct mx_slice name);
