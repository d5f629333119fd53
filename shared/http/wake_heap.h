/* Wake handles ordered by their deadlines. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct req_wake;

struct wake_heap {
	struct req_wake **items;
	size_t len, cap;
};

#define WAKE_NOT_IN_HEAP SIZE_MAX

void wake_heap_done(struct wake_heap *heap);
void wake_heap_add(struct wake_heap *heap, struct req_wake *wake);
void wake_heap_remove(struct wake_heap *heap, struct req_wake *wake);

/* The one with the earliest deadline, or NULL. */
struct req_wake *wake_heap_first(const struct wake_heap *heap);
