/* Names and avatars on their way into rooms. What is to be done is a row, so it survives a crash;
 * doing it twice does nothing, as a room that has the name already is left alone. */
#include "homeserver/call.h"
#include "homeserver/hs.h"
#include "homeserver/ingest/turn.h"
#include "homeserver/profile/profile.h"
#include "homeserver/profile/profile_db.h"
#include "homeserver/room/room_db.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/log.h"
#include "shared/core/str.h"
#include "shared/core/thread.h"
#include "shared/core/time.h"
#include "shared/json/json.h"
#include "shared/store/store.h"

#include <pthread.h>
#include <stdatomic.h>

#define TODO_LIST 100
#define TRIES_MAX 5 /* of one room, when others write at the same moment */
#define RETRY_US  (30 * 1000 * 1000)

struct profiles {
	struct hs *hs;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t woken;
	bool work; /* under the lock */
	_Atomic bool stopping;
};

/* Of a membership: what is not repeated with the next event.
 * Spec: m.room.member, "join_authorised_via_users_server", "third_party_invite" */
static const char *const once_only[] = {
	"join_authorised_via_users_server",
	"reason",
	"third_party_invite",
};

/* ---- one room */

static bool set_text(json_t *content, const char *key, const char *text)
{
	if (text ? streq(jstr(content, key), text) : !json_object_get(content, key))
		return false;
	if (text)
		json_object_set_new(content, key, json_string(text));
	else
		json_object_del(content, key);
	return true;
}

struct person {
	const char *user_id, *displayname, *avatar_url;
};

/* The content with the profile's values; NULL if it has them, or is no membership to be changed. */
static json_t *next_content(const struct event *event, const struct person *person,
			    struct mx_arena *mem)
{
	json_t *content = NULL;
	bool changed;

	if (!event || mx_json_parse(mx_json_raw(&event->doc, event->content),
				    &mx_json_default_limits, mem, &content, NULL))
		return NULL;
	changed = set_text(content, "displayname", person->displayname);
	changed |= set_text(content, "avatar_url", person->avatar_url);
	if (!changed || !streq(jstr(content, "membership"), "join")) {
		json_decref(content);
		return NULL;
	}
	for (size_t i = 0; i < sizeof(once_only) / sizeof(once_only[0]); i++)
		json_object_del(content, once_only[i]);
	return content;
}

static int send_member(struct room_turn *turn, const struct person *person, struct mx_arena *mem,
		       struct mx_error *err)
{
	const struct event *event;
	json_auto_t *content = next_content(turn_state(turn, "m.room.member", person->user_id),
					    person, mem);
	const struct event_wish wish = {
		.type = "m.room.member",
		.sender = person->user_id,
		.state_key = person->user_id,
		.content = content,
	};

	return content ? turn_send(turn, &wish, &event, err) : -MX_NOT_FOUND;
}

/* Once. A room where it is not needed, or not allowed, is done. */
static int try_room(const struct hs_call *call, const char *room_id, const struct person *person)
{
	struct room_turn *turn;
	struct mx_error err = { 0 };
	int rc = turn_begin(call, room_id, &turn, &err);

	if (rc)
		return rc == -MX_NOT_FOUND ? 0 : rc;
	rc = send_member(turn, person, call->mem, &err);
	if (rc == 0)
		return turn_commit(turn, &err);
	turn_abort(turn);
	if (rc == -MX_NOT_FOUND)
		return 0;
	mx_log(MX_LOG_INFO, "a room was not told of a new profile", "room", room_id, "reason",
	       mx_error_text(&err, rc), NULL);
	return rc == -MX_STORE || rc == -MX_STORE_FULL ? rc : 0;
}

static int do_room(const struct hs_call *call, const char *room_id, const struct person *person)
{
	int rc = -MX_CONFLICT;

	for (int i = 0; rc == -MX_CONFLICT && i < TRIES_MAX; i++)
		rc = try_room(call, room_id, person);
	return rc;
}

/* ---- one user */

struct room_ids {
	const char **items;
	size_t len;
};

static int add_joined(const struct hs_call *call, const struct user_room *row, struct room_ids *ids)
{
	struct room_head head;
	int rc;

	if (row->membership != MEMBERSHIP_JOIN)
		return 0;
	rc = room_db_head(call, row->room, &head);
	if (rc == 0)
		ids->items[ids->len++] = mx_arena_slice(call->mem, head.id).ptr;
	return rc;
}

static int load_rooms(const struct hs_call *call, const char *user_id, struct room_ids *ids)
{
	struct user_room_list list;
	int rc = user_room_db_list(call, mx_slice(user_id), &list);

	if (rc)
		return rc;
	ids->items = mx_arena_calloc(call->mem, list.len + 1, sizeof(*ids->items));
	for (size_t i = 0; rc == 0 && i < list.len; i++)
		rc = add_joined(call, &list.items[i], ids);
	return rc;
}

static int load_person(const struct hs_call *call, const char *user_id, struct person *person)
{
	int rc;

	person->user_id = user_id;
	rc = profile_text(call, user_id, "displayname", &person->displayname);
	return rc ? rc : profile_text(call, user_id, "avatar_url", &person->avatar_url);
}

static int load_work(struct hs_call *call, const char *user_id, struct person *person,
		     struct room_ids *ids)
{
	int rc;

	call->view = store_view_begin(call->hs->store);
	rc = load_person(call, user_id, person);
	if (rc == 0)
		rc = load_rooms(call, user_id, ids);
	store_view_end(call->view);
	call->view = NULL;
	return rc;
}

static int finish(struct hs_call *call, const struct profile_todo *todo)
{
	int rc;

	call->txn = store_txn_begin(call->hs->store);
	rc = profile_todo_db_done(call, todo);
	if (rc)
		store_txn_abort(call->txn);
	else
		rc = store_txn_commit(call->txn, NULL);
	call->txn = NULL;
	/* Changed at the same moment: it comes again. */
	return rc == -MX_CONFLICT ? 0 : rc;
}

static int do_user(struct profiles *profiles, const struct profile_todo *todo)
{
	mx_arena_auto *mem = mx_arena_new(0), *room_mem = mx_arena_new(0);
	struct hs_call call = { .hs = profiles->hs, .mem = mem, .now_ms = mx_now_ms() };
	struct hs_call room_call = call;
	struct room_ids ids = { 0 };
	struct person person;
	int rc = load_work(&call, todo->user_id, &person, &ids);

	room_call.mem = room_mem;
	for (size_t i = 0; rc == 0 && i < ids.len && !profiles->stopping; i++) {
		room_call.now_ms = mx_now_ms();
		rc = do_room(&room_call, ids.items[i], &person);
		mx_arena_reset(room_mem);
	}
	return rc || profiles->stopping ? rc : finish(&call, todo);
}

/* ---- all of them */

static int list_todos(struct profiles *profiles, struct mx_arena *mem, struct profile_todos *todos)
{
	struct hs_call call = { .hs = profiles->hs, .mem = mem };
	int rc;

	call.view = store_view_begin(profiles->hs->store);
	rc = profile_todo_db_list(&call, TODO_LIST, todos);
	store_view_end(call.view);
	return rc;
}

/* How many were looked at; or why it does not go on. */
static int do_some(struct profiles *profiles, size_t *ret_count)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct profile_todos todos = { 0 };
	int rc = list_todos(profiles, mem, &todos);

	for (size_t i = 0; rc == 0 && i < todos.len && !profiles->stopping; i++)
		rc = do_user(profiles, &todos.items[i]);
	*ret_count = todos.len;
	return rc;
}

static bool wait_for_work(struct profiles *profiles, bool failed)
{
	const struct timespec until = mx_after_us(RETRY_US);
	bool stopping;

	pthread_mutex_lock(&profiles->lock);
	while (!profiles->work && !profiles->stopping) {
		if (!failed)
			pthread_cond_wait(&profiles->woken, &profiles->lock);
		else if (pthread_cond_timedwait(&profiles->woken, &profiles->lock, &until))
			break;
	}
	profiles->work = false;
	stopping = profiles->stopping;
	pthread_mutex_unlock(&profiles->lock);
	return !stopping;
}

static void *run(void *ctx)
{
	struct profiles *profiles = ctx;
	int rc = 0;

	mx_thread_yields();
	while (wait_for_work(profiles, rc != 0)) {
		size_t count;

		do
			rc = do_some(profiles, &count);
		while (rc == 0 && count > 0 && !profiles->stopping);
		if (rc && !profiles->stopping)
			mx_log(MX_LOG_WARN,
			       "rooms were not told of new profiles; tried again in a while",
			       "reason", mx_errc((enum mx_code) - rc)->text, NULL);
	}
	return NULL;
}

/* On the committer's thread. */
static void on_todo(void *ctx, struct mx_slice key, struct mx_slice value)
{
	struct profiles *profiles = ctx;

	(void)key;
	if (!value.ptr)
		return;
	pthread_mutex_lock(&profiles->lock);
	profiles->work = true;
	pthread_cond_signal(&profiles->woken);
	pthread_mutex_unlock(&profiles->lock);
}

struct profiles *profiles_start(struct hs *hs)
{
	struct profiles *profiles = mx_calloc(1, sizeof(*profiles));

	profiles->hs = hs;
	profiles->work = true; /* what the last run left */
	pthread_mutex_init(&profiles->lock, NULL);
	mx_cond_init(&profiles->woken);
	store_watch(hs->store, &profile_todo_table, on_todo, profiles);
	profiles->thread = mx_thread_start("profiles", run, profiles);
	return profiles;
}

void profiles_stop(struct profiles *profiles)
{
	if (!profiles)
		return;
	store_watch(profiles->hs->store, &profile_todo_table, NULL, NULL);
	pthread_mutex_lock(&profiles->lock);
	profiles->stopping = true;
	pthread_cond_signal(&profiles->woken);
	pthread_mutex_unlock(&profiles->lock);
	pthread_join(profiles->thread, NULL);
	pthread_cond_destroy(&profiles->woken);
	pthread_mutex_destroy(&profiles->lock);
	mx_free(profiles);
}
