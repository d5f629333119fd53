/* Members of objects on their way into canonical order. */
#pragma once

#include "shared/core/slice.h"
#include "shared/core/vec.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct mx_member {
	struct mx_slice key; /* decoded */
	union {
		uint32_t node; /* of the key, in a scanned document */
		json_t *json; /* the value, in a tree */
	};
};

struct mx_members mx_vec(struct mx_member);

/* Sorts those from index `first` on, by code point of the decoded keys. */
void mx_members_sort(struct mx_members *members, size_t first);

/* Whether key is in the NULL-ended list (or NULL). */
bool mx_member_is_listed(const char *const *list, struct mx_slice key);
