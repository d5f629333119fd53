/* Rooms that are in this server's directory. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hs_call;
struct store_table;

extern const struct store_table *const published_tables[];

#define PUBLISHED_MAX 50000 /* rooms that are listed */

struct published_rooms {
	uint32_t *items;
	size_t len;
};

bool published_db_has(const struct hs_call *call, uint32_t room);
/* In the order of their numbers, in call->mem. */
int published_db_list(const struct hs_call *call, struct published_rooms *ret_rooms);
/* With call->txn. */
void published_db_put(const struct hs_call *call, uint32_t room);
void published_db_delete(const struct hs_call *call, uint32_t room);
