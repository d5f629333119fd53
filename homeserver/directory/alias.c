#include "homeserver/directory/alias.h"

#include "homeserver/account/account.h"
#include "homeserver/call.h"
#include "homeserver/directory/remote.h"
#include "homeserver/directory/room_access.h"
#include "homeserver/event/event.h"
#include "homeserver/event/event_types.h"
#include "homeserver/hs.h"
#include "homeserver/ingest/room_power.h"
#include "homeserver/room/room_db.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/id/mxid.h"
#include "shared/json/json.h"
#include "shared/store/store.h"

#define CANONICAL_MAX 200 /* aliases that one event may name */

static int alias_check(const char *name, struct mx_error *err)
{
	struct mx_id id;

	if (!mx_alias_parse(mx_slice(name), &id) || id.localpart.len == 0)
		return mx_fail(err, MX_INVALID_PARAM, "That is not a room alias");
	return 0;
}

int alias_check_own(const struct hs_call *call, const char *name, struct mx_error *err)
{
	int rc = alias_check(name, err);

	if (rc == 0 && !id_is_local(call->hs, name))
		return mx_fail(err, MX_INVALID_PARAM, "Aliases of other servers are made there");
	return rc;
}

static int resolve(const struct hs_call *call, const char *name, const char **ret_room_id,
		   struct mx_error *err)
{
	struct alias alias;
	int rc = alias_db_load(call, name, &alias);

	if (rc == -MX_NOT_FOUND)
		return mx_fail(err, MX_NOT_FOUND, "The room alias %s was not found", name);
	if (rc == 0)
		*ret_room_id = alias.room_id;
	return rc;
}

int alias_resolve(const struct hs_call *call, const char *name, const char **ret_room_id,
		  struct mx_error *err)
{
	struct hs_call looking = *call;
	int rc = alias_check(name, err);

	if (rc)
		return rc;
	if (!id_is_local(call->hs, name))
		return remote_ask(name, err);
	if (call->txn || call->view)
		return resolve(call, name, ret_room_id, err);
	looking.view = store_view_begin(call->hs->store);
	rc = resolve(&looking, name, ret_room_id, err);
	store_view_end(looking.view);
	return rc;
}

int alias_claim(const struct hs_call *call, const struct alias *alias, struct mx_error *err)
{
	struct alias taken;
	int rc = alias_db_load(call, alias->name, &taken);

	if (rc == 0)
		return mx_fail(err, MX_ALIAS_TAKEN, "The alias %s is already taken", alias->name);
	if (rc != -MX_NOT_FOUND)
		return rc;
	alias_db_put(call, alias); /* goes into the batch; a race surfaces at the commit */
	return 0;
}

/* ---- taking away */

static bool may_edit_canonical(const struct hs_call *call, const char *room_id, const char *user_id)
{
	const struct room_power *power;
	uint32_t room;

	if (room_db_find(call, mx_slice(room_id), &room) ||
	    !room_access_is_joined(call, room, user_id))
		return false;
	power = room_power_load(call, room);
	return power && room_power_may_send_state(power, user_id, TYPE_CANONICAL_ALIAS);
}

int alias_release(const struct hs_call *call, const char *name, const char *user_id,
		  struct mx_error *err)
{
	struct alias alias;
	int rc = alias_db_load(call, name, &alias);

	if (rc == -MX_NOT_FOUND)
		return mx_fail(err, MX_NOT_FOUND, "The room alias %s was not found", name);
	if (rc)
		return rc;
	if (!streq(alias.creator, user_id) && !may_edit_canonical(call, alias.room_id, user_id) &&
	    account_check_admin(call, user_id, NULL))
		return mx_fail(err, MX_FORBIDDEN, "You may not remove %s", name);
	alias_db_delete(call, &alias);
	return 0;
}

/* ---- m.room.canonical_alias */

struct canonical {
	const struct hs_call *call;
	const char *room_id;
	json_t *now; /* NULL: none is said yet */
	struct mx_error *err;
};

static bool is_said(const json_t *now, const json_t *name)
{
	const json_t *item;
	size_t i;

	if (json_equal(json_object_get(now, "alias"), (json_t *)name))
		return true;
	json_array_foreach (json_object_get(now, "alt_aliases"), i, item)
		if (json_equal(item, name))
			return true;
	return false;
}

static int check_new(const struct canonical *canonical, const json_t *name)
{
	const char *room_id, *text = json_string_value(name);
	int rc;

	if (!text)
		return mx_fail(canonical->err, MX_BAD_JSON, "An alias must be a string");
	if (is_said(canonical->now, name))
		return 0;
	rc = alias_resolve(canonical->call, text, &room_id, canonical->err);
	if (rc == -MX_INVALID_PARAM || rc == -MX_STORE)
		return rc;
	if (rc || !streq(room_id, canonical->room_id))
		return mx_fail(canonical->err, MX_BAD_ALIAS,
			       "The alias %s does not point to this room", text);
	return 0;
}

static int check_all(const struct canonical *canonical, const json_t *content)
{
	const json_t *alias = json_object_get(content, "alias"), *item;
	const json_t *others = json_object_get(content, "alt_aliases");
	size_t i;
	int rc = 0;

	if (others && !json_is_array(others) && !json_is_null(others))
		return mx_fail(canonical->err, MX_BAD_JSON, "alt_aliases must be a list");
	if (json_array_size(others) > CANONICAL_MAX)
		return mx_fail(canonical->err, MX_TOO_LARGE, "At most %d aliases can be listed",
			       CANONICAL_MAX);
	/* An empty one is how some clients say that there is none. */
	if (alias && !json_is_null(alias) && !streq(json_string_value(alias), ""))
		rc = check_new(canonical, alias);
	json_array_foreach (others, i, item)
		if (rc == 0)
			rc = check_new(canonical, item);
	return rc;
}

int alias_check_canonical(const struct hs_call *call, const char *room_id, const json_t *content,
			  const struct event *now, struct mx_error *err)
{
	struct canonical canonical = { .call = call, .room_id = room_id, .err = err };
	struct mx_slice text;
	int rc;

	if (now) {
		text = mx_json_raw(&now->doc, now->content);
		canonical.now = json_loadb(text.ptr, text.len, 0, NULL);
	}
	rc = check_all(&canonical, content);
	json_decref(canonical.now);
	return rc;
}
