/* Memberships. Spec: client-server API, "m.room.member". */
#pragma once

#include "shared/core/slice.h"

enum membership {
	MEMBERSHIP_NONE, /* never was a member */
	MEMBERSHIP_INVITE,
	MEMBERSHIP_JOIN,
	MEMBERSHIP_KNOCK,
	MEMBERSHIP_LEAVE,
	MEMBERSHIP_BAN,
};

/* MEMBERSHIP_NONE for what is none. */
enum membership membership_of(struct mx_slice name);
/* "join"; "leave" for MEMBERSHIP_NONE. */
const char *membership_name(enum membership membership);
