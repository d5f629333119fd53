#include "identity/names.h"

#include "identity/identity_conf.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/glob.h"
#include "shared/core/thread.h"

#include <stdlib.h>
#include <string.h>
#include <unicase.h>

struct list {
	struct mx_slice *items;
	unsigned len;
};

struct names {
	pthread_rwlock_t lock; /* everything below changes with a reload */
	struct mx_arena *mem;
	struct list lists[NAMES_LISTS];
	struct list words; /* folded */
};

/* ---- life */

static struct list copy(char *const *items, unsigned len, struct mx_arena *mem)
{
	struct list list = { mx_arena_calloc(mem, len + 1u, sizeof(*list.items)), len };

	for (unsigned i = 0; i < len; i++)
		list.items[i] = mx_arena_slice(mem, mx_slice(items[i]));
	return list;
}

/* The caller's to free(); empty if it cannot be folded. */
static struct mx_slice fold(struct mx_slice text)
{
	size_t len = 0;
	uint8_t *folded = u8_casefold((const uint8_t *)text.ptr, text.len, NULL, NULL, NULL, &len);

	return mx_slice_of(folded, folded ? len : 0);
}

static void fold_all(struct list *list, struct mx_arena *mem)
{
	for (unsigned i = 0; i < list->len; i++) {
		struct mx_slice folded = fold(list->items[i]);

		list->items[i] = mx_arena_slice(mem, folded);
		free((char *)folded.ptr);
	}
}

#define COPY(section, member) copy(conf->section.member, conf->section.member##_count, names->mem)

static void fill(struct names *names, const struct identity_conf *conf)
{
	names->mem = mx_arena_new(0);
	names->lists[NAMES_ALLOWED_HOMESERVERS] = COPY(homeservers, allow);
	names->lists[NAMES_DENIED_HOMESERVERS] = COPY(homeservers, deny);
	names->lists[NAMES_BLOCKED_ROOMS] = COPY(invites, block_rooms);
	names->lists[NAMES_BLOCKED_SERVERS] = COPY(invites, block_servers);
	names->lists[NAMES_BLOCKED_HOMESERVERS] = COPY(invites, block_homeservers);
	names->words = COPY(invites, block_keywords);
	fold_all(&names->words, names->mem);
}

struct names *names_new(const struct identity_conf *conf)
{
	struct names *names = mx_calloc(1, sizeof(*names));

	mx_rwlock_init(&names->lock);
	fill(names, conf);
	return names;
}

void names_set(struct names *names, const struct identity_conf *conf)
{
	struct mx_arena *before;

	pthread_rwlock_wrlock(&names->lock);
	before = names->mem;
	fill(names, conf);
	pthread_rwlock_unlock(&names->lock);
	mx_arena_free(before);
}

void names_free(struct names *names)
{
	if (!names)
		return;
	mx_arena_free(names->mem);
	pthread_rwlock_destroy(&names->lock);
	mx_free(names);
}

/* ---- looking */

static bool is_like_any(const struct list *list, struct mx_slice name)
{
	for (unsigned i = 0; i < list->len; i++) {
		if (mx_glob_match(list->items[i], name))
			return true;
	}
	return false;
}

bool names_may_come(struct names *names, const char *homeserver)
{
	const struct list *allowed = &names->lists[NAMES_ALLOWED_HOMESERVERS];
	const struct list *denied = &names->lists[NAMES_DENIED_HOMESERVERS];
	struct mx_slice name = mx_slice(homeserver);
	bool may;

	pthread_rwlock_rdlock(&names->lock);
	may = !is_like_any(denied, name) && (allowed->len == 0 || is_like_any(allowed, name));
	pthread_rwlock_unlock(&names->lock);
	return may;
}

bool names_has(struct names *names, enum names_list list, struct mx_slice name)
{
	bool found;

	pthread_rwlock_rdlock(&names->lock);
	found = is_like_any(&names->lists[list], name);
	pthread_rwlock_unlock(&names->lock);
	return found;
}

static bool has_any_word(const struct list *words, struct mx_slice text)
{
	for (unsigned i = 0; i < words->len; i++) {
		const struct mx_slice *word = &words->items[i];

		if (word->len > 0 && memmem(text.ptr, text.len, word->ptr, word->len))
			return true;
	}
	return false;
}

bool names_has_word_in(struct names *names, const char *text)
{
	struct mx_slice folded = fold(mx_slice(text));
	bool found;

	pthread_rwlock_rdlock(&names->lock);
	found = folded.len > 0 && has_any_word(&names->words, folded);
	pthread_rwlock_unlock(&names->lock);
	free((char *)folded.ptr);
	return found;
}
