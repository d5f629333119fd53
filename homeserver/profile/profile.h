/* What people tell about themselves: display name, avatar, time zone, fields of their own.
 * Spec: client-server API, "Profiles". */
#pragma once

#include "shared/core/slice.h"

#include <jansson.h>
#include <stdbool.h>

struct hs;
struct hs_call;
struct mx_error;
struct profiles;

#define PROFILE_BYTES_MAX 65536 /* of one user's profile as JSON. Spec: PUT /profile */
#define PROFILE_KEY_MAX   255 /* bytes */
#define PROFILE_NAME_MAX  256 /* characters of a display name */

/* Begins to carry changed names and avatars into the rooms of their users, and what is left from
 * before; one room at a time, in a thread of its own. */
struct profiles *profiles_start(struct hs *hs);
/* What is not done goes on at the next start. NULL does nothing. */
void profiles_stop(struct profiles *profiles);

/* Completes the content of a member event that the server makes for a local user who joins, is
 * invited or knocks: displayname and avatar_url, unless they are there. Nobody else's content is
 * touched. */
int profile_fill(const struct hs_call *call, const char *user_id, json_t *content);

/* A new account: found by the user directory from now on, and called by its localpart where the
 * configuration says so. To be called with the account's transaction. */
int profile_new(const struct hs_call *call, const char *user_id);

/* Everything, as an object that is the caller's. -MX_NOT_FOUND for a user who is no local one. */
int profile_load(const struct hs_call *call, const char *user_id, json_t **ret_profile);

/* Whether users may not change this field, by configuration. */
bool profile_is_locked(const struct hs *hs, const char *key);

/* The user's, as a string in call->mem; NULL: none. */
int profile_text(const struct hs_call *call, const char *user_id, const char *key,
		 const char **ret_text);

/*
 * Sets a field, or removes it (NULL). With a txn. -MX_INVALID_PARAM for a key or a value that may
 * not be, -MX_KEY_TOO_LARGE, -MX_PROFILE_TOO_LARGE. A changed name or avatar comes into the user's
 * rooms after the commit.
 */
int profile_set(const struct hs_call *call, const char *user_id, const char *key,
		const json_t *value, struct mx_error *err);

/* Everything goes, also from rooms where the user still is. With a txn. */
int profile_erase(const struct hs_call *call, const char *user_id);
