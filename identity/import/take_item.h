/* Taking over items of each kind; see take_over.h. */
#pragma once

#include "identity/identity.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct mx_error;

/* Of one item. *ret_outcome is a literal or in call->mem. Not 0 only if the store fails. */
struct item_kind {
	const char *name;
	int (*take)(const struct identity_call *call, const json_t *item, const char *source,
		    const char **ret_outcome);
};

/* take_people.c, take_binding.c; ended by { 0 } */
extern const struct item_kind people_kinds[], binding_kinds[];

#define TAKEN_NEW   "new"
#define TAKEN_KNOWN "known"

/* Whether what has this hash was taken over before, which is noted now. */
int item_is_again(const struct identity_call *call, const uint8_t hash[32], bool *ret_again);

/* "bad_address: The e-mail address is not valid" */
const char *item_refused(const struct identity_call *call, const char *reason,
			 const struct mx_error *err);
