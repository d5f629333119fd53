#include "homeserver/member/invite_words.h"

#include "homeserver/call.h"
#include "homeserver/member/threepid_invite.h"
#include "homeserver/profile/profile.h"
#include "homeserver/room/room_facts.h"
#include "shared/json/json.h"

int invite_words_make(const struct hs_call *call, const struct threepid_asking *asking,
		      uint32_t room, json_t **ret_words)
{
	const char *name = NULL, *picture = NULL;
	struct room_facts facts;
	int rc = room_facts_load(call, room, &facts);

	if (rc == 0)
		rc = profile_text(call, asking->sender, "displayname", &name);
	if (rc == 0)
		rc = profile_text(call, asking->sender, "avatar_url", &picture);
	if (rc)
		return rc;
	*ret_words = json_pack("{s:s, s:s, s:s, s:s, s:s*, s:s*, s:s*, s:s*, s:s*, s:s*, s:s*}",
			       "medium", jstr(asking->invite, "medium"), "address",
			       jstr(asking->invite, "address"), "room_id", asking->room_id,
			       "sender", asking->sender, "room_name", facts.name, "room_alias",
			       facts.canonical_alias, "room_avatar_url", facts.avatar_url,
			       "room_type", facts.room_type, "room_join_rules", facts.join_rule,
			       "sender_display_name", name, "sender_avatar_url", picture);
	return 0;
}
