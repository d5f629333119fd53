#include "homeserver/member/threepid_invite.h"

#include "homeserver/account/contact_conf.h"
#include "homeserver/call.h"
#include "homeserver/directory/room_access.h"
#include "homeserver/event/event_types.h"
#include "homeserver/hs.h"
#include "homeserver/ingest/room_power.h"
#include "homeserver/ingest/turn.h"
#include "homeserver/member/invite_server.h"
#include "homeserver/member/invite_words.h"
#include "homeserver/member/member.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/json/json.h"
#include "shared/store/store.h"

#define TRIES_MAX   16 /* each lost one means that another turn of the room got through */
#define ADDRESS_MAX 500

/* ---- before anything is asked */

static bool may_invite(const struct hs_call *call, const struct threepid_asking *asking,
		       uint32_t room)
{
	const struct room_power *power = room_power_load(call, room);

	return power && room_power_may(power, asking->sender, LEVEL_INVITE);
}

/* Nobody is written to in the name of who may not invite. The words of the mail are read at the
 * same time; *ret_words is the caller's. */
static int look_at_room(const struct hs_call *call, const struct threepid_asking *asking,
			json_t **ret_words, struct mx_error *err)
{
	struct hs_call looking = *call;
	uint32_t room;
	int rc;

	looking.view = store_view_begin(call->hs->store);
	rc = room_access_check_member(&looking, asking->room_id, asking->sender, err);
	if (rc == 0)
		rc = room_db_find(&looking, mx_slice(asking->room_id), &room);
	if (rc == 0 && !may_invite(&looking, asking, room))
		rc = mx_fail(err, MX_FORBIDDEN, "You may not invite to this room");
	if (rc == 0)
		rc = invite_words_make(&looking, asking, room, ret_words);
	store_view_end(looking.view);
	return rc;
}

static int check_invite(const struct hs *hs, const json_t *invite, struct invite_server *ret_server,
			struct mx_error *err)
{
	struct mx_slice medium = jslice(invite, "medium"), address = jslice(invite, "address");

	if (medium.len == 0 || address.len == 0)
		return mx_fail(err, MX_MISSING_PARAM, "medium and address are needed");
	if (medium.len > ADDRESS_MAX || address.len > ADDRESS_MAX)
		return mx_fail(err, MX_INVALID_PARAM, "The address is too long");
	return invite_server_of(hs, invite, ret_server, err);
}

int threepid_invite_check(const struct hs_call *call, const json_t *invite, struct mx_error *err)
{
	struct invite_server server;
	const char *user;
	int rc = check_invite(call->hs, invite, &server, err);

	return rc ? rc : invite_server_lookup(call, &server, invite, &user, err);
}

/* ---- inviting */

static int invite_user(const struct hs_call *call, const struct threepid_asking *asking,
		       const char *user_id, struct mx_error *err)
{
	const struct member_change change = {
		.room_id = asking->room_id,
		.sender = asking->sender,
		.target = user_id,
		.membership = MEMBERSHIP_INVITE,
		.is_direct = asking->is_direct,
	};

	return member_change_now(call, &change, err);
}

static int say_once(const struct hs_call *call, const char *room_id, const struct event_wish *wish,
		    struct mx_error *err)
{
	const struct event *event;
	struct room_turn *turn;
	int rc = turn_begin(call, room_id, &turn, err);

	if (rc)
		return rc;
	rc = turn_send(turn, wish, &event, err);
	if (rc == 0)
		return turn_commit(turn, err);
	turn_abort(turn);
	return rc;
}

/* Spec: "m.room.third_party_invite": one key as the first servers had it, then all. */
static json_t *offer_content(const struct invite_server *server, const json_t *stored)
{
	const json_t *first = json_array_get(json_object_get(stored, "public_keys"), 0);
	const char *key = jstr(first, "public_key"), *url = jstr(first, "key_validity_url");
	json_t *content = json_pack("{s:s}", "display_name", jstr(stored, "display_name"));

	if (first)
		json_object_set(content, "public_keys", json_object_get(stored, "public_keys"));
	json_object_set_new(content, "public_key",
			    json_string(key ? key : jstr_or(stored, "public_key", "")));
	json_object_set_new(content, "key_validity_url",
			    url ? json_string(url)
				: json_sprintf("https://%s/_matrix/identity/v2/pubkey/isvalid",
					       server->conf->name));
	return content;
}

static int say_offer(const struct hs_call *call, const struct threepid_asking *asking,
		     const json_t *content, const json_t *stored, struct mx_error *err)
{
	const struct event_wish wish = {
		.type = TYPE_THIRD_PARTY_INVITE,
		.sender = asking->sender,
		.state_key = jstr(stored, "token"),
		.content = content,
	};
	int rc = -MX_CONFLICT;

	for (unsigned i = 0; i < TRIES_MAX && rc == -MX_CONFLICT; i++)
		rc = say_once(call, asking->room_id, &wish, err);
	return rc;
}

static int offer(const struct hs_call *call, const struct threepid_asking *asking,
		 const struct invite_server *server, const json_t *words, struct mx_error *err)
{
	json_auto_t *stored = NULL, *content = NULL;
	int rc = invite_server_store(call, server, words, &stored, err);

	if (rc)
		return rc;
	content = offer_content(server, stored);
	return say_offer(call, asking, content, stored, err);
}

int threepid_invite(const struct hs_call *call, const struct threepid_asking *asking,
		    struct mx_error *err)
{
	struct invite_server server;
	json_auto_t *words = NULL;
	const char *user;
	int rc = check_invite(call->hs, asking->invite, &server, err);

	if (rc == 0)
		rc = look_at_room(call, asking, &words, err);
	if (rc == 0)
		rc = invite_server_lookup(call, &server, asking->invite, &user, err);
	if (rc)
		return rc;
	if (user)
		return invite_user(call, asking, user, err);
	return offer(call, asking, &server, words, err);
}
