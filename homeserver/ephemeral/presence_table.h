/* What is known of everybody's presence, in the order of the changes that others see. Not
 * thread-safe. */
#pragma once

#include "homeserver/ephemeral/presence.h"
#include "shared/core/due.h"
#include "shared/core/vec.h"

struct presence_table;
struct stream;

#define PRESENCE_USERS_MAX 50000

/* Spec: "Idle timeout … e.g. 5 minutes". */
#define PRESENCE_IDLE_MS    (5 * 60 * 1000)
#define PRESENCE_CURRENT_MS (60 * 1000)
/* Between one /sync and the next. */
#define PRESENCE_GRACE_MS (30 * 1000)

struct presence_shown {
	enum presence_state state;
	bool currently_active;
};

struct presence_entry {
	struct mx_due due;
	struct presence_entry *before, *next; /* in the order of ticks */
	uint64_t tick; /* of the last change of what is shown, or of the status */
	enum presence_state wanted; /* said by the user or by /sync */
	int64_t last_active_ms, there_until_ms; /* monotonic */
	struct presence_shown shown;
	char *status; /* or NULL */
	char user_id[];
};

struct presence_table *presence_table_new(struct stream *stream);
void presence_table_free(struct presence_table *table);

/* Each of them: whether others see a change. */
bool presence_table_sync(struct presence_table *table, const char *user_id,
			 enum presence_state state, int64_t poll_ms);
bool presence_table_active(struct presence_table *table, const char *user_id);
bool presence_table_set(struct presence_table *table, const char *user_id,
			enum presence_state state, const char *status);

/* Copies of user ids. */
struct presence_users mx_vec(char *);
void presence_users_done(struct presence_users *users);
/* Adds those of whom others see a change; when the next is due. */
int64_t presence_table_run(struct presence_table *table, int64_t mono_ms,
			   struct presence_users *users);

/* Borrowed until the next change. NULL: nothing is known. */
const struct presence_entry *presence_table_find(const struct presence_table *table,
						 const char *user_id);
const struct presence_entry *presence_table_last(const struct presence_table *table);
