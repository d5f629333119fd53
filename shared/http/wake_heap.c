#include "shared/http/wake_heap.h"

#include "shared/core/vec.h"
#include "shared/http/wake.h"

static void place(struct wake_heap *heap, size_t at, struct req_wake *wake)
{
	heap->items[at] = wake;
	wake->heap_index = at;
}

static void sift_up(struct wake_heap *heap, size_t at, struct req_wake *wake)
{
	while (at > 0) {
		size_t parent = (at - 1) / 2;

		if (heap->items[parent]->deadline_ms <= wake->deadline_ms)
			break;
		place(heap, at, heap->items[parent]);
		at = parent;
	}
	place(heap, at, wake);
}

static void sift_down(struct wake_heap *heap, size_t at, struct req_wake *wake)
{
	for (;;) {
		size_t child = at * 2 + 1;

		if (child >= heap->len)
			break;
		if (child + 1 < heap->len &&
		    heap->items[child + 1]->deadline_ms < heap->items[child]->deadline_ms)
			child++;
		if (wake->deadline_ms <= heap->items[child]->deadline_ms)
			break;
		place(heap, at, heap->items[child]);
		at = child;
	}
	place(heap, at, wake);
}

void wake_heap_done(struct wake_heap *heap)
{
	mx_free(heap->items);
	*heap = (struct wake_heap){ 0 };
}

void wake_heap_add(struct wake_heap *heap, struct req_wake *wake)
{
	heap->items = mx_vec_grow(heap->items, heap->len, &heap->cap, sizeof(*heap->items));
	heap->len++;
	sift_up(heap, heap->len - 1, wake);
}

void wake_heap_remove(struct wake_heap *heap, struct req_wake *wake)
{
	size_t at = wake->heap_index;
	struct req_wake *last;

	if (at == WAKE_NOT_IN_HEAP)
		return;
	wake->heap_index = WAKE_NOT_IN_HEAP;
	last = heap->items[--heap->len];
	if (last == wake)
		return;
	sift_up(heap, at, last);
	sift_down(heap, last->heap_index, last);
}

struct req_wake *wake_heap_first(const struct wake_heap *heap)
{
	return heap->len > 0 ? heap->items[0] : NULL;
}
