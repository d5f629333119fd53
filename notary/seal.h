/* The countersignature on every entry that the notary serves: by its own keys, and by former ones
 * that askers have pinned. Spec: server-server API, "Querying Keys Through Another Server". */
#pragma once

#include "shared/core/slice.h"

#include <jansson.h>

struct key_object;
struct mx_error;
struct mx_str;
struct own_keys;
struct seal;

struct seal_conf {
	struct own_keys *own; /* all its keys countersign */
	const char *countersign_file; /* keys that only countersign; NULL = none */
};

/* Thread-safe. */
int seal_new(const struct seal_conf *conf, struct seal **ret_seal, struct mx_error *err);
void seal_free(struct seal *seal);

/* Reads both files again, that of the own keys too; on failure all old keys stay. */
int seal_reload(struct seal *seal, struct mx_error *err);

/* Countersigns a checked object with every key: the `seal` of key_history_conf. */
int seal_object(void *seal, const struct key_object *object, struct mx_str *out,
		struct mx_error *err);
/* Names the set of keys that seal; changes when they do. Borrowed until the next reload: only for
 * the thread that reloads. */
struct mx_slice seal_id(const struct seal *seal);

/* own_keys_list() with those of the role "countersigning". */
json_t *seal_list(struct seal *seal);
