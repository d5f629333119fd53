/* Types of path parameters of the homeserver's own. */
#pragma once

#include "shared/http/route.h"

extern const struct param_type hs_param_types[]; /* ended by { 0 } */
