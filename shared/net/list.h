/* Intrusive doubly linked lists: a ring with its head. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct net_link {
	struct net_link *prev, *next;
};

/* The structure that holds `member`. */
#define net_entry(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

static inline void net_list_init(struct net_link *head)
{
	head->prev = head->next = head;
}

static inline bool net_list_empty(const struct net_link *head)
{
	return head->next == head;
}

static inline void net_list_push(struct net_link *head, struct net_link *link)
{
	link->prev = head->prev;
	link->next = head;
	head->prev->next = link;
	head->prev = link;
}

/* A link that is in no list, zeroed or removed, stays as it is. */
static inline void net_list_remove(struct net_link *link)
{
	if (!link->next)
		return;
	link->prev->next = link->next;
	link->next->prev = link->prev;
	link->prev = link->next = NULL;
}

/* The first link, taken out; NULL if there is none. */
static inline struct net_link *net_list_pop(struct net_link *head)
{
	struct net_link *first = head->next;

	if (first == head)
		return NULL;
	net_list_remove(first);
	return first;
}
