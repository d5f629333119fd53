/* What is over is removed: sessions, tokens, invites, old entries of the audit log. */
#pragma once

#include "shared/daemon/chores.h"

extern const struct chore reaping_chores[];
extern const size_t reaping_chores_len;
