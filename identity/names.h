/* The operator's lists of names, which a reload changes while requests read them: whose users may
 * come, and what is not invited to. */
#pragma once

#include "shared/core/slice.h"

#include <stdbool.h>

struct identity_conf;
struct names;

enum names_list {
	NAMES_ALLOWED_HOMESERVERS,
	NAMES_DENIED_HOMESERVERS,
	NAMES_BLOCKED_ROOMS, /* ids */
	NAMES_BLOCKED_SERVERS, /* of rooms */
	NAMES_BLOCKED_HOMESERVERS, /* of those who invite */
	NAMES_LISTS
};

struct names *names_new(const struct identity_conf *conf);
void names_set(struct names *names, const struct identity_conf *conf);
void names_free(struct names *names);

/* Thread-safe. */

/* Not denied, and allowed if only some are. */
bool names_may_come(struct names *names, const char *homeserver);
/* Whether one of the list's globs is like this name. */
bool names_has(struct names *names, enum names_list list, struct mx_slice name);
/* Whether a blocked word is in the text, whatever the case of either. */
bool names_has_word_in(struct names *names, const char *text);
