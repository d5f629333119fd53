/* Rooms that a user is in, and those that two share. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct hs_call;

#define MUTUAL_PAGE 500 /* rooms of one answer */

struct room_id {
	uint32_t number;
	const char *id; /* in call->mem */
};

/* In the order of their numbers. */
struct room_ids {
	struct room_id *items;
	size_t len;
};

int joined_rooms(const struct hs_call *call, const char *user_id, struct room_ids *ret_rooms);
/* None for users who do not exist. */
int mutual_rooms(const struct hs_call *call, const char *user_id, const char *other,
		 struct room_ids *ret_rooms);
