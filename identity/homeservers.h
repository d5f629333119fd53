/* Whose users this service is there for: homeservers.allow and homeservers.deny. */
#pragma once

#include "shared/core/slice.h"

#include <stdbool.h>

struct identity;
struct mx_error;

/* False if the operator keeps it out. */
bool homeserver_is_served(const struct identity *identity, struct mx_slice server_name);

/* Of the server of a user id: -MX_NOT_YOURS; 0 for what is no user id. */
int homeserver_check_user(const struct identity *identity, const char *user_id,
			  struct mx_error *err);
