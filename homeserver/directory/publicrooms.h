/* The directory of rooms, page by page: the largest first.
 * Spec: client-server API, "Published room directory". */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hs_call;
struct mx_error;
struct room_turn;

#define PUBLICROOMS_PAGE     100 /* rows without a limit */
#define PUBLICROOMS_PAGE_MAX 500

struct publicrooms_query {
	int64_t limit; /* as it came; 0 or less: PUBLICROOMS_PAGE */
	const char *since; /* of an earlier page, or NULL */
	const char *term; /* in names, topics and aliases, whatever their case; or NULL */
	const json_t *room_types; /* a list, null in it for ordinary rooms; or NULL: all */
};

/* The answer, which is the caller's. -MX_INVALID_PARAM for a token that is none. */
int publicrooms_list(const struct hs_call *call, const struct publicrooms_query *query,
		     json_t **ret_answer, struct mx_error *err);

/* Whether a room is listed. -MX_NOT_FOUND for rooms that are not here. */
int publicrooms_get(const struct hs_call *call, const char *room_id, bool *ret_is_public,
		    struct mx_error *err);
/* For members who may say what the canonical alias is, and for administrators; others get
 * -MX_FORBIDDEN. */
int publicrooms_set_in(struct room_turn *turn, const char *user_id, bool is_public,
		       struct mx_error *err);
