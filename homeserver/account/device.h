/* The devices of local users. Each has at most one session, which is what its tokens are of. */
#pragma once

#include "shared/core/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hs_call;
struct mx_error;

#define DEVICE_ID_MAX   255 /* bytes */
#define DEVICE_NAME_MAX 256 /* code points */
#define DEVICES_MAX     5000 /* of one user */

struct device {
	const char *user, *id;
	const char *name; /* NULL: none was given */
	int64_t created_ms;
	int64_t seen_ms; /* 0: not yet; to a few minutes */
	const char *ip, *user_agent; /* NULL: not yet */
	const char *session; /* of session.h; NULL: nobody is signed in with it */
};

struct device_list {
	struct device *items;
	size_t len;
};

/* -MX_INVALID_PARAM. */
int device_check_id(const char *id, struct mx_error *err);
int device_check_name(const char *name, struct mx_error *err);

/* Strings in call->mem. -MX_NOT_FOUND. */
int device_load(const struct hs_call *call, const char *user, const char *id,
		struct device *ret_device);
/* All of a user, in the order of their ids. */
int device_list(const struct hs_call *call, const char *user, struct device_list *ret_list);

/* A device that is to be signed in: the one of this id, without its session if it had one, or a
 * new one of that name. id NULL: a new id. -MX_RESOURCE_LIMIT past DEVICES_MAX. */
int device_open(const struct hs_call *call, const struct device *wanted, struct device *ret_device,
		struct mx_error *err);
void device_put(const struct hs_call *call, const struct device *device);
/* name NULL: it keeps its own. -MX_NOT_FOUND, -MX_INVALID_PARAM. */
int device_rename(const struct hs_call *call, const char *user, const char *id, const char *name,
		  struct mx_error *err);

/* With its session: its tokens are unknown from the commit on. One that is not there is no error.
 */
int device_delete(const struct hs_call *call, const char *user, const char *id);
/* All but `keep` (NULL: all). */
int device_delete_all(const struct hs_call *call, const char *user, const char *keep);
