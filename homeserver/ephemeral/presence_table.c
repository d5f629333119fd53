#include "homeserver/ephemeral/presence_table.h"

#include "homeserver/stream/stream.h"
#include "shared/core/alloc.h"
#include "shared/core/map.h"
#include "shared/core/str.h"
#include "shared/core/time.h"

#include <string.h>

/* How many are looked at for one who is offline when the table is full. */
#define EVICT_LOOKS 1000

struct presence_table {
	struct stream *stream;
	struct mx_map entries;
	struct mx_due_heap due;
	struct presence_entry *first, *last;
};

static const char *const names[] = {
	[PRESENCE_OFFLINE] = "offline",
	[PRESENCE_UNAVAILABLE] = "unavailable",
	[PRESENCE_ONLINE] = "online",
};

bool presence_state_parse(const char *name, enum presence_state *ret_state)
{
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!streq(name, names[i]))
			continue;
		*ret_state = (enum presence_state)i;
		return true;
	}
	return false;
}

const char *presence_state_name(enum presence_state state)
{
	return names[state];
}

static void entry_free(void *ptr)
{
	struct presence_entry *entry = ptr;

	mx_free(entry->status);
	mx_free(entry);
}

/* ---- the order of changes */

static void unlink_entry(struct presence_table *table, struct presence_entry *entry)
{
	*(entry->before ? &entry->before->next : &table->first) = entry->next;
	*(entry->next ? &entry->next->before : &table->last) = entry->before;
	entry->before = entry->next = NULL;
}

static void append(struct presence_table *table, struct presence_entry *entry)
{
	entry->before = table->last;
	*(table->last ? &table->last->next : &table->first) = entry;
	table->last = entry;
}

/* Before any change: among the oldest. */
static void prepend(struct presence_table *table, struct presence_entry *entry)
{
	entry->next = table->first;
	*(table->first ? &table->first->before : &table->last) = entry;
	table->first = entry;
}

static void touch(struct presence_table *table, struct presence_entry *entry)
{
	entry->tick = stream_tick(table->stream);
	unlink_entry(table, entry);
	append(table, entry);
}

/* ---- a bounded number of users */

static void drop(struct presence_table *table, struct presence_entry *entry)
{
	unlink_entry(table, entry);
	mx_due_remove(&table->due, &entry->due);
	mx_map_remove(&table->entries, mx_slice(entry->user_id));
	entry_free(entry);
}

/* Who is offline for the longest time, if that is soon found. */
static void evict(struct presence_table *table)
{
	struct presence_entry *entry = table->first;

	for (int i = 0; i < EVICT_LOOKS && entry && entry->shown.state != PRESENCE_OFFLINE; i++)
		entry = entry->next;
	drop(table, entry ? entry : table->first);
}

static struct presence_entry *entry_of(struct presence_table *table, const char *user_id)
{
	struct presence_entry *entry = mx_map_find(&table->entries, mx_slice(user_id));
	size_t len = strlen(user_id);

	if (entry)
		return entry;
	if (table->entries.len >= PRESENCE_USERS_MAX)
		evict(table);
	entry = mx_calloc(1, sizeof(*entry) + len + 1);
	memcpy(entry->user_id, user_id, len + 1);
	entry->last_active_ms = entry->there_until_ms = mx_mono_ms();
	mx_map_put(&table->entries, mx_slice(user_id), entry);
	prepend(table, entry);
	return entry;
}

/* ---- what is shown, and until when */

static struct presence_shown shown_at(const struct presence_entry *entry, int64_t mono_ms)
{
	int64_t idle_ms = mono_ms - entry->last_active_ms;

	if (entry->wanted == PRESENCE_OFFLINE || mono_ms >= entry->there_until_ms)
		return (struct presence_shown){ PRESENCE_OFFLINE, false };
	if (entry->wanted == PRESENCE_UNAVAILABLE || idle_ms >= PRESENCE_IDLE_MS)
		return (struct presence_shown){ PRESENCE_UNAVAILABLE, false };
	return (struct presence_shown){ PRESENCE_ONLINE, idle_ms < PRESENCE_CURRENT_MS };
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static void set_due(struct presence_table *table, struct presence_entry *entry)
{
	int64_t due_ms = entry->there_until_ms;

	if (entry->shown.state == PRESENCE_OFFLINE) {
		mx_due_remove(&table->due, &entry->due);
		return;
	}
	if (entry->shown.state == PRESENCE_ONLINE)
		due_ms = earlier(due_ms, entry->last_active_ms + PRESENCE_IDLE_MS);
	if (entry->shown.currently_active)
		due_ms = earlier(due_ms, entry->last_active_ms + PRESENCE_CURRENT_MS);
	mx_due_add(&table->due, &entry->due, due_ms);
}

static bool settle(struct presence_table *table, struct presence_entry *entry, int64_t mono_ms)
{
	struct presence_shown shown = shown_at(entry, mono_ms);
	bool changed = shown.state != entry->shown.state ||
		       shown.currently_active != entry->shown.currently_active;

	if (shown.state == PRESENCE_OFFLINE)
		entry->wanted = PRESENCE_OFFLINE;
	entry->shown = shown;
	if (changed)
		touch(table, entry);
	set_due(table, entry);
	return changed;
}

/* ---- what happens */

bool presence_table_sync(struct presence_table *table, const char *user_id,
			 enum presence_state state, int64_t poll_ms)
{
	struct presence_entry *entry = entry_of(table, user_id);
	int64_t now_ms = mx_mono_ms(), until_ms = now_ms + poll_ms + PRESENCE_GRACE_MS;

	if (until_ms > entry->there_until_ms)
		entry->there_until_ms = until_ms;
	/* Who comes back is active; who is there stays what they said or became. */
	if (entry->wanted == PRESENCE_OFFLINE)
		entry->last_active_ms = now_ms;
	if (entry->wanted == PRESENCE_OFFLINE || state == PRESENCE_UNAVAILABLE)
		entry->wanted = state;
	return settle(table, entry, now_ms);
}

bool presence_table_active(struct presence_table *table, const char *user_id)
{
	struct presence_entry *entry = entry_of(table, user_id);

	entry->last_active_ms = mx_mono_ms();
	if (entry->wanted == PRESENCE_UNAVAILABLE)
		entry->wanted = PRESENCE_ONLINE;
	return settle(table, entry, entry->last_active_ms);
}

static bool set_status(struct presence_entry *entry, const char *status)
{
	if (status ? streq(entry->status, status) : !entry->status)
		return false;
	mx_free(entry->status);
	entry->status = status ? mx_strdup(status) : NULL;
	return true;
}

bool presence_table_set(struct presence_table *table, const char *user_id,
			enum presence_state state, const char *status)
{
	struct presence_entry *entry = entry_of(table, user_id);
	int64_t now_ms = mx_mono_ms();
	bool changed = set_status(entry, status);

	if (entry->there_until_ms < now_ms + PRESENCE_GRACE_MS)
		entry->there_until_ms = now_ms + PRESENCE_GRACE_MS;
	entry->last_active_ms = now_ms;
	entry->wanted = state;
	if (settle(table, entry, now_ms))
		return true;
	if (changed)
		touch(table, entry);
	return changed;
}

int64_t presence_table_run(struct presence_table *table, int64_t mono_ms,
			   struct presence_users *users)
{
	struct mx_due *due;

	while ((due = mx_due_first(&table->due)) && due->at <= mono_ms) {
		struct presence_entry *entry = mx_due_entry(due, struct presence_entry, due);

		if (settle(table, entry, mono_ms))
			mx_vec_push(users, mx_strdup(entry->user_id));
	}
	return due ? due->at : INT64_MAX;
}

void presence_users_done(struct presence_users *users)
{
	for (size_t i = 0; i < users->len; i++)
		mx_free(users->items[i]);
	mx_vec_done(users);
}

const struct presence_entry *presence_table_find(const struct presence_table *table,
						 const char *user_id)
{
	return mx_map_find(&table->entries, mx_slice(user_id));
}

const struct presence_entry *presence_table_last(const struct presence_table *table)
{
	return table->last;
}

struct presence_table *presence_table_new(struct stream *stream)
{
	struct presence_table *table = mx_calloc(1, sizeof(*table));

	table->stream = stream;
	return table;
}

void presence_table_free(struct presence_table *table)
{
	if (!table)
		return;
	mx_due_heap_done(&table->due);
	mx_map_done(&table->entries, entry_free);
	mx_free(table);
}
