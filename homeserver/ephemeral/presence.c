#include "homeserver/ephemeral/presence.h"

#include "homeserver/call.h"
#include "homeserver/ephemeral/presence_table.h"
#include "homeserver/ephemeral/ticker.h"
#include "homeserver/hs.h"
#include "homeserver/hs_conf.h"
#include "homeserver/profile/acquaintance.h"
#include "homeserver/room/room_db.h"
#include "homeserver/stream/stream.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/map.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/core/vec.h"
#include "shared/json/canonical.h"

#include <pthread.h>

/* How many a /sync shows at once; the others have not changed for longer. */
#define EVENTS_MAX 1000

struct presence {
	struct hs *hs;
	struct ticker *ticker;
	pthread_mutex_t lock;
	struct presence_table *table;
};

static bool is_off(const struct hs *hs)
{
	const struct hs_conf *conf = conf_of(hs);

	return conf->presence.enabled && !*conf->presence.enabled;
}

/* What others do not see does not end sooner than what was there. */
static void changed(const struct hs_call *call, const char *user_id, bool is_visible)
{
	if (!is_visible)
		return;
	ticker_wake(call->hs->presence->ticker);
	stream_wake_sharers(call->hs->stream, mx_slice(user_id));
}

void presence_syncing(const struct hs_call *call, const char *user_id, enum presence_state state,
		      int64_t poll_ms)
{
	struct presence *presence = call->hs->presence;
	bool is_visible;

	if (state == PRESENCE_OFFLINE || is_off(call->hs))
		return;
	pthread_mutex_lock(&presence->lock);
	is_visible = presence_table_sync(presence->table, user_id, state, poll_ms);
	pthread_mutex_unlock(&presence->lock);
	changed(call, user_id, is_visible);
}

void presence_active(const struct hs_call *call, const char *user_id)
{
	struct presence *presence = call->hs->presence;
	bool is_visible;

	if (is_off(call->hs))
		return;
	pthread_mutex_lock(&presence->lock);
	is_visible = presence_table_active(presence->table, user_id);
	pthread_mutex_unlock(&presence->lock);
	changed(call, user_id, is_visible);
}

void presence_set(const struct hs_call *call, const char *user_id, enum presence_state state,
		  const char *status)
{
	struct presence *presence = call->hs->presence;
	bool is_visible;

	if (is_off(call->hs))
		return;
	pthread_mutex_lock(&presence->lock);
	is_visible = presence_table_set(presence->table, user_id, state, status);
	pthread_mutex_unlock(&presence->lock);
	changed(call, user_id, is_visible);
}

/* ---- asking */

static void load_status(const struct presence_entry *entry, struct mx_arena *mem,
			struct presence_status *status)
{
	*status = (struct presence_status){ .last_active_ago = -1 };
	if (!entry)
		return;
	status->state = entry->shown.state;
	status->currently_active = entry->shown.currently_active;
	status->last_active_ago = mx_mono_ms() - entry->last_active_ms;
	status->status = entry->status ? mx_arena_strdup(mem, entry->status) : NULL;
}

static int check_viewer(const struct hs_call *call, const char *viewer, const char *user_id)
{
	struct joined_rooms rooms;
	int rc;

	if (streq(viewer, user_id))
		return 0;
	rc = joined_rooms_load(call, viewer, &rooms);
	if (rc == 0 && !acquaintance_shares(call, &rooms, user_id))
		return -MX_FORBIDDEN;
	return rc;
}

int presence_load(const struct hs_call *call, const char *viewer, const char *user_id,
		  struct presence_status *ret_status)
{
	struct presence *presence = call->hs->presence;
	int rc = check_viewer(call, viewer, user_id);

	if (rc)
		return rc;
	*ret_status = (struct presence_status){ .last_active_ago = -1 };
	if (is_off(call->hs))
		return 0;
	pthread_mutex_lock(&presence->lock);
	load_status(presence_table_find(presence->table, user_id), call->mem, ret_status);
	pthread_mutex_unlock(&presence->lock);
	return 0;
}

/* ---- what changed */

struct seen {
	const char *user_id;
	struct presence_status status;
};
struct seen_list mx_vec(struct seen);

static void collect_changes(const struct presence *presence, uint64_t after, struct mx_arena *mem,
			    struct seen_list *list)
{
	const struct presence_entry *entry = presence_table_last(presence->table);

	for (; entry && entry->tick > after && list->len < EVENTS_MAX; entry = entry->before) {
		struct seen seen = { .user_id = mx_arena_strdup(mem, entry->user_id) };

		if (after == 0 && entry->shown.state == PRESENCE_OFFLINE)
			continue;
		load_status(entry, mem, &seen.status);
		mx_vec_push(list, seen);
	}
}

/* ---- those whom the viewer only now shares a room with */

static void add_newcomer(struct mx_map *newcomers, struct mx_arena *mem, struct mx_slice user_id)
{
	if (newcomers->len < EVENTS_MAX && !mx_map_find(newcomers, user_id))
		mx_map_put(newcomers, user_id, mx_arena_strndup(mem, user_id.ptr, user_id.len));
}

static int find_newcomers(const struct hs_call *call, const struct presence_ask *ask,
			  struct mx_map *newcomers)
{
	struct member_list members;
	int rc = 0;

	for (size_t i = 0; i < ask->users_len; i++)
		add_newcomer(newcomers, call->mem, ask->users[i]);
	for (size_t i = 0; rc == 0 && i < ask->rooms_len && newcomers->len < EVENTS_MAX; i++) {
		rc = member_db_list(call, ask->rooms[i], MEMBERSHIP_JOIN, MX_SLICE(""), EVENTS_MAX,
				    &members);
		for (size_t j = 0; rc == 0 && j < members.len; j++)
			add_newcomer(newcomers, call->mem, mx_slice(members.items[j].user_id));
	}
	return rc;
}

struct newcomer_ask {
	const struct presence *presence;
	const struct presence_ask *ask;
	struct mx_arena *mem;
	struct seen_list *list;
};

/* Who changed after `after` is in the list already. */
static void collect_newcomer(const struct newcomer_ask *n, const char *user_id)
{
	const struct presence_entry *entry = presence_table_find(n->presence->table, user_id);
	struct seen seen = { .user_id = user_id };

	if (!entry || entry->tick > n->ask->after || entry->shown.state == PRESENCE_OFFLINE ||
	    streq(user_id, n->ask->viewer))
		return;
	load_status(entry, n->mem, &seen.status);
	mx_vec_push(n->list, seen);
}

static void collect(const struct newcomer_ask *n, const struct mx_map *newcomers)
{
	struct mx_slice key;
	size_t cursor = 0;
	void *user_id;

	collect_changes(n->presence, n->ask->after, n->mem, n->list);
	while (mx_map_next(newcomers, &cursor, &key, &user_id))
		collect_newcomer(n, user_id);
}

/* ---- as events */

static struct mx_slice event_of(const struct seen *seen, struct mx_arena *mem)
{
	const struct presence_status *status = &seen->status;
	mx_str_auto text = { 0 };

	mx_str_addf(&text, "{\"content\":{\"presence\":\"%s\"", presence_state_name(status->state));
	if (status->state == PRESENCE_ONLINE)
		mx_str_addf(&text, ",\"currently_active\":%s",
			    status->currently_active ? "true" : "false");
	mx_str_addf(&text, ",\"last_active_ago\":%lld", (long long)status->last_active_ago);
	if (status->status) {
		mx_str_add_text(&text, ",\"status_msg\":");
		mx_canonical_string(&text, mx_slice(status->status));
	}
	mx_str_add_text(&text, "},\"sender\":");
	mx_canonical_string(&text, mx_slice(seen->user_id));
	mx_str_add_text(&text, ",\"type\":\"m.presence\"}");
	return mx_arena_slice(mem, mx_str_slice(&text));
}

static int show(const struct hs_call *call, const char *viewer, const struct seen_list *list,
		struct presence_events *events)
{
	struct joined_rooms rooms;
	int rc = joined_rooms_load(call, viewer, &rooms);

	if (rc)
		return rc;
	events->items = mx_arena_calloc(call->mem, list->len + 1, sizeof(*events->items));
	for (size_t i = list->len; i-- > 0;) {
		const struct seen *seen = &list->items[i];

		if (streq(seen->user_id, viewer) ||
		    acquaintance_shares(call, &rooms, seen->user_id))
			events->items[events->len++] = event_of(seen, call->mem);
	}
	return 0;
}

int presence_events(const struct hs_call *call, const struct presence_ask *ask,
		    struct presence_events *ret_events)
{
	struct presence *presence = call->hs->presence;
	struct mx_map newcomers = { 0 };
	struct seen_list list = { 0 };
	const struct newcomer_ask n = { presence, ask, call->mem, &list };
	int rc;

	*ret_events = (struct presence_events){ 0 };
	if (is_off(call->hs))
		return 0;
	rc = find_newcomers(call, ask, &newcomers);
	pthread_mutex_lock(&presence->lock);
	collect(&n, &newcomers);
	pthread_mutex_unlock(&presence->lock);
	if (rc == 0 && list.len)
		rc = show(call, ask->viewer, &list, ret_events);
	mx_map_done(&newcomers, NULL);
	mx_vec_done(&list);
	return rc;
}

/* ---- what ends by itself */

int64_t presence_run(void *ctx, int64_t mono_ms)
{
	struct presence *presence = ctx;
	struct presence_users users = { 0 };
	int64_t next_ms;

	pthread_mutex_lock(&presence->lock);
	next_ms = presence_table_run(presence->table, mono_ms, &users);
	pthread_mutex_unlock(&presence->lock);
	for (size_t i = 0; i < users.len; i++)
		stream_wake_sharers(presence->hs->stream, mx_slice(users.items[i]));
	presence_users_done(&users);
	return next_ms;
}

struct presence *presence_start(struct hs *hs)
{
	struct presence *presence = mx_calloc(1, sizeof(*presence));

	presence->hs = hs;
	pthread_mutex_init(&presence->lock, NULL);
	presence->table = presence_table_new(hs->stream);
	presence->ticker = ticker_start("presence", presence_run, presence);
	return presence;
}

void presence_stop(struct presence *presence)
{
	if (!presence)
		return;
	ticker_stop(presence->ticker);
	presence_table_free(presence->table);
	pthread_mutex_destroy(&presence->lock);
	mx_free(presence);
}
