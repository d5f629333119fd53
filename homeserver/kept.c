#include "homeserver/kept.h"

#include "shared/core/alloc.h"
#include "shared/http/request.h"

#include <stddef.h>

struct kept {
	struct kept *next;
	kept_free_fn *free; /* NULL: dropped */
	void *thing;
};

static void drop(struct kept *kept)
{
	if (kept->free)
		kept->free(kept->thing);
	kept->free = NULL;
	kept->thing = NULL;
}

static void free_all(void *first)
{
	struct kept *kept = first;

	while (kept) {
		struct kept *next = kept->next;

		drop(kept);
		mx_free(kept);
		kept = next;
	}
}

static struct kept *find(const struct req *r, kept_free_fn *free)
{
	struct kept *kept = r->kept;

	while (kept && kept->free != free)
		kept = kept->next;
	return kept;
}

void *kept_find(const struct req *r, kept_free_fn *free)
{
	const struct kept *kept = find(r, free);

	return kept ? kept->thing : NULL;
}

void kept_add(struct req *r, void *thing, kept_free_fn *free)
{
	struct kept *kept = mx_calloc(1, sizeof(*kept));

	*kept = (struct kept){ r->kept, free, thing };
	r->kept = kept;
	r->kept_free = free_all;
}

void kept_drop(struct req *r, kept_free_fn *free)
{
	struct kept *kept = find(r, free);

	if (kept)
		drop(kept);
}
