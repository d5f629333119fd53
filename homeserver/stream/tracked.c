#include "homeserver/stream/tracked.h"

#include "shared/core/alloc.h"

static struct mx_slice number_key(const uint32_t *number)
{
	return mx_slice_of((const char *)number, sizeof(*number));
}

/* ---- rooms */

struct tracked_room *tracked_room(const struct tracked *tracked, uint32_t number)
{
	return mx_map_find(&tracked->rooms, number_key(&number));
}

static struct tracked_room *room_need(struct tracked *tracked, uint32_t number, uint64_t position)
{
	struct tracked_room *room = tracked_room(tracked, number);

	if (room)
		return room;
	room = mx_calloc(1, sizeof(*room));
	room->number = number;
	room->position = position;
	mx_map_put(&tracked->rooms, number_key(&number), room);
	return room;
}

static void room_free(void *ptr)
{
	struct tracked_room *room = ptr;

	mx_vec_done(&room->members);
	mx_free(room);
}

/* From the side where there are fewer to look through. */
static bool seat_find(const struct tracked_user *user, const struct tracked_room *room,
		      size_t *ret_place)
{
	if (user->rooms.len <= room->members.len) {
		for (size_t i = 0; i < user->rooms.len; i++) {
			*ret_place = i;
			if (user->rooms.items[i].room == room)
				return true;
		}
		return false;
	}
	for (size_t i = 0; i < room->members.len; i++) {
		*ret_place = room->members.items[i].place;
		if (room->members.items[i].user == user)
			return true;
	}
	return false;
}

void tracked_seat(struct tracked *tracked, struct tracked_user *user, uint32_t number,
		  uint64_t position)
{
	struct tracked_room *room = room_need(tracked, number, position);

	mx_vec_push(&user->rooms, (struct tracked_seat){ room, room->members.len });
	mx_vec_push(&room->members, (struct tracked_member){ user, user->rooms.len - 1 });
}

void tracked_join(struct tracked *tracked, struct tracked_user *user, uint32_t number,
		  uint64_t position)
{
	const struct tracked_room *room = tracked_room(tracked, number);
	size_t place;

	if (!room || !seat_find(user, room, &place))
		tracked_seat(tracked, user, number, position);
}

/* The last ones move to where something went. */
static void member_remove(struct tracked_room *room, size_t place)
{
	struct tracked_member last = room->members.items[--room->members.len];

	if (place == room->members.len)
		return;
	room->members.items[place] = last;
	last.user->rooms.items[last.place].place = place;
}

static void seat_remove(struct tracked_user *user, size_t place)
{
	struct tracked_seat last = user->rooms.items[--user->rooms.len];

	if (place == user->rooms.len)
		return;
	user->rooms.items[place] = last;
	last.room->members.items[last.place].place = place;
}

static void seat_leave(struct tracked *tracked, struct tracked_user *user, size_t place)
{
	struct tracked_room *room = user->rooms.items[place].room;

	member_remove(room, user->rooms.items[place].place);
	seat_remove(user, place);
	if (room->members.len > 0)
		return;
	mx_map_remove(&tracked->rooms, number_key(&room->number));
	room_free(room);
}

void tracked_part(struct tracked *tracked, struct tracked_user *user, uint32_t number)
{
	struct tracked_room *room = tracked_room(tracked, number);
	size_t place;

	if (room && seat_find(user, room, &place))
		seat_leave(tracked, user, place);
}

/* ---- users */

static void age_unlink(struct tracked *tracked, struct tracked_user *user)
{
	if (user->older)
		user->older->newer = user->newer;
	else
		tracked->oldest = user->newer;
	if (user->newer)
		user->newer->older = user->older;
	else
		tracked->newest = user->older;
}

static void age_link(struct tracked *tracked, struct tracked_user *user, int64_t now_ms)
{
	user->seen_ms = now_ms;
	user->newer = NULL;
	user->older = tracked->newest;
	if (tracked->newest)
		tracked->newest->newer = user;
	else
		tracked->oldest = user;
	tracked->newest = user;
}

struct tracked_user *tracked_find(const struct tracked *tracked, struct mx_slice id)
{
	return mx_map_find(&tracked->users, id);
}

struct tracked_user *tracked_add(struct tracked *tracked, struct mx_slice id, int64_t now_ms)
{
	struct tracked_user *user = mx_calloc(1, sizeof(*user));

	user->id = mx_strndup(id.ptr, id.len);
	mx_map_put(&tracked->users, id, user);
	age_link(tracked, user, now_ms);
	return user;
}

void tracked_seen(struct tracked *tracked, struct tracked_user *user, int64_t now_ms)
{
	age_unlink(tracked, user);
	age_link(tracked, user, now_ms);
}

static void user_free(void *ptr)
{
	struct tracked_user *user = ptr;

	mx_vec_done(&user->rooms);
	mx_vec_done(&user->touched);
	mx_free(user->id);
	mx_free(user);
}

static void user_drop(struct tracked *tracked, struct tracked_user *user)
{
	while (user->rooms.len > 0)
		seat_leave(tracked, user, user->rooms.len - 1);
	age_unlink(tracked, user);
	mx_map_remove(&tracked->users, mx_slice(user->id));
	user_free(user);
}

static bool is_needed(const struct tracked_user *user)
{
	return user->waits || user->is_loading || user->listed[TRACKED_WOKEN] ||
	       user->listed[TRACKED_PENDING];
}

void tracked_drop_idle(struct tracked *tracked, int64_t since_ms, int64_t now_ms)
{
	while (tracked->oldest && tracked->oldest->seen_ms < since_ms) {
		struct tracked_user *user = tracked->oldest;

		if (is_needed(user))
			tracked_seen(tracked, user, now_ms);
		else
			user_drop(tracked, user);
	}
}

void tracked_done(struct tracked *tracked)
{
	mx_map_done(&tracked->rooms, room_free);
	mx_map_done(&tracked->users, user_free);
	*tracked = (struct tracked){ 0 };
}

/* ---- lists */

void tracked_list(struct tracked *tracked, struct tracked_user *user, enum tracked_list list)
{
	if (user->listed[list])
		return;
	user->listed[list] = true;
	user->next[list] = tracked->lists[list];
	tracked->lists[list] = user;
}

struct tracked_user *tracked_take(struct tracked *tracked, enum tracked_list list)
{
	struct tracked_user *user = tracked->lists[list];

	if (!user)
		return NULL;
	tracked->lists[list] = user->next[list];
	user->listed[list] = false;
	return user;
}
