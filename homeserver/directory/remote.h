/* Where other servers come in: for users who are not ours, and for rooms that are not here. This
 * server does not speak to others yet, so every one of them is a server that cannot be reached. */
#pragma once

#include "shared/core/slice.h"

#include <stdbool.h>

struct hs;
struct mx_error;

bool id_is_local(const struct hs *hs, const char *id);

/* Asks the server of this id to take part. -MX_REMOTE_FAILED. */
int remote_ask(const char *id, struct mx_error *err);
int remote_ask_server(const char *server, struct mx_error *err);
/* Joins or knocks by one of the servers; via: the first that the client names, or NULL.
 * -MX_NOT_FOUND if nobody is known to ask, -MX_REMOTE_FAILED. */
int remote_enter(const char *room_id, const char *via, struct mx_error *err);
