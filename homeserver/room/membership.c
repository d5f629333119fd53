#include "homeserver/room/membership.h"

#include <stddef.h>

static const char *const names[] = {
	[MEMBERSHIP_INVITE] = "invite", [MEMBERSHIP_JOIN] = "join", [MEMBERSHIP_KNOCK] = "knock",
	[MEMBERSHIP_LEAVE] = "leave",   [MEMBERSHIP_BAN] = "ban",
};

enum membership membership_of(struct mx_slice name)
{
	for (size_t i = MEMBERSHIP_INVITE; i < sizeof(names) / sizeof(names[0]); i++)
		if (mx_slice_is(name, names[i]))
			return (enum membership)i;
	return MEMBERSHIP_NONE;
}

const char *membership_name(enum membership membership)
{
	return names[membership == MEMBERSHIP_NONE ? MEMBERSHIP_LEAVE : membership];
}
