#include "shared/core/due.h"

#include "shared/core/vec.h"

static void place(struct mx_due_heap *heap, size_t at, struct mx_due *due)
{
	heap->items[at - 1] = due;
	due->place = at;
}

static struct mx_due *item(const struct mx_due_heap *heap, size_t at)
{
	return heap->items[at - 1];
}

/* A parent of i is i / 2. */
static void rise(struct mx_due_heap *heap, struct mx_due *due)
{
	size_t at = due->place;

	for (; at > 1 && item(heap, at / 2)->at > due->at; at /= 2)
		place(heap, at, item(heap, at / 2));
	place(heap, at, due);
}

static size_t earlier_child(const struct mx_due_heap *heap, size_t at)
{
	size_t child = at * 2;

	if (child < heap->len && item(heap, child + 1)->at < item(heap, child)->at)
		child++;
	return child;
}

static void sink(struct mx_due_heap *heap, struct mx_due *due)
{
	size_t at = due->place, child;

	for (; at * 2 <= heap->len; at = child) {
		child = earlier_child(heap, at);
		if (item(heap, child)->at >= due->at)
			break;
		place(heap, at, item(heap, child));
	}
	place(heap, at, due);
}

void mx_due_heap_done(struct mx_due_heap *heap)
{
	mx_free(heap->items);
	*heap = (struct mx_due_heap){ 0 };
}

void mx_due_add(struct mx_due_heap *heap, struct mx_due *due, int64_t at)
{
	mx_due_remove(heap, due);
	heap->items = mx_vec_grow(heap->items, heap->len, &heap->cap, sizeof(*heap->items));
	due->at = at;
	place(heap, ++heap->len, due);
	rise(heap, due);
}

void mx_due_remove(struct mx_due_heap *heap, struct mx_due *due)
{
	size_t hole = due->place;
	struct mx_due *last;

	if (hole == 0)
		return;
	due->place = 0;
	last = item(heap, heap->len--);
	if (last == due)
		return;
	place(heap, hole, last);
	rise(heap, last);
	sink(heap, last);
}

struct mx_due *mx_due_first(const struct mx_due_heap *heap)
{
	return heap->len > 0 ? heap->items[0] : NULL;
}
