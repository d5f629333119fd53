/*
 * Free space on the disk of a store. Commits are refused before the disk is full; should it fill
 * up in the middle of one, a reserve file is given up so that what was begun can be finished.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Recovery writes the last log file to its end: room that it must find on a full disk. */
#define STORE_LOG_FILE_BYTES (8 * 1024 * 1024)

struct bdb_space {
	char *reserve_path; /* NULL: in memory, never full */
	int reserve_fd; /* -1: none */
	int64_t reserve_bytes, free_min;
	atomic_bool full, reserve_gone;
	struct bdb_space *next;
};

/* Gives up what an earlier run reserved, as recovery may need it. free_min < 0: no check. */
void store_space_init(struct bdb_space *space, const char *directory, int64_t free_min);
/* From now on there is a reserve, or the store is full. */
void store_space_guard(struct bdb_space *space);
void store_space_done(struct bdb_space *space);

/* May `need` more bytes be written? Looks at the disk and remembers the answer. */
bool store_space_admits(struct bdb_space *space, int64_t need);

bool store_space_is_full(const struct bdb_space *space);
/* Too little even for recovery: then a failure to open has this reason. */
bool store_space_is_exhausted(const struct bdb_space *space);
