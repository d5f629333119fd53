/* How far each peer is. */
#pragma once

#include <stdint.h>

struct mx_error;
struct store;

/* The number in our log up to which the peer has everything; 0 for a new one. */
int replication_db_position(struct store *store, const char *peer, uint64_t *ret_number,
			    struct mx_error *err);
int replication_db_set_position(struct store *store, const char *peer, uint64_t number,
				struct mx_error *err);
