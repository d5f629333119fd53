#include "homeserver/ephemeral/people.h"

#include "homeserver/ephemeral/presence.h"
#include "homeserver/ephemeral/typing.h"
#include "homeserver/hs.h"
#include "homeserver/profile/profile.h"

void people_open(struct hs *hs)
{
	hs->typing = typing_start(hs);
	hs->presence = presence_start(hs);
	hs->profiles = profiles_start(hs);
}

void people_close(struct hs *hs)
{
	profiles_stop(hs->profiles);
	presence_stop(hs->presence);
	typing_stop(hs->typing);
}
