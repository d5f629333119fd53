/* Things ordered by when they are due: a binary heap of nodes that live inside the things.
 * Not thread-safe. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* A part of the thing; `{ 0 }` is in no heap. */
struct mx_due {
	int64_t at; /* any unit; set by mx_due_add() */
	size_t place; /* from 1; 0 = in no heap */
};

/* `{ 0 }` is empty. */
struct mx_due_heap {
	struct mx_due **items;
	size_t len, cap;
};

/* The structure that holds `member`. */
#define mx_due_entry(due, type, member) ((type *)(void *)((char *)(due)-offsetof(type, member)))

/* The things are not released. */
void mx_due_heap_done(struct mx_due_heap *heap);

/* Moves it if it is there already. */
void mx_due_add(struct mx_due_heap *heap, struct mx_due *due, int64_t at);
/* Does nothing for one in no heap. */
void mx_due_remove(struct mx_due_heap *heap, struct mx_due *due);

/* The earliest, or NULL. */
struct mx_due *mx_due_first(const struct mx_due_heap *heap);
