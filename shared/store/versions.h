/*
 * Snapshots over tables that only one thread changes. Commits are numbered; a view is at the
 * number of the last published one. Before a row changes, what it was is kept here for as long
 * as a view from before that change is open.
 */
#pragma once

#include "shared/store/ordered.h"
#include "shared/store/rows.h"

#include <pthread.h>
#include <stdatomic.h>

struct mx_arena;

/* Kept bytes beyond this end the views that need them. */
#define STORE_VERSIONS_BYTES_MAX (64u * 1024 * 1024)

struct store_snapshot {
	uint64_t position, stamp;
	bool expired;
	struct store_snapshot *previous, *next;
};

struct store_place {
	unsigned table;
	struct mx_slice key;
};

struct store_versions_group;

struct store_versions {
	pthread_mutex_t views_lock; /* taken before rows_lock */
	uint64_t published;
	_Atomic uint64_t *stamp; /* the last one of what is published; the engine's */
	struct store_snapshot *oldest, *latest;

	pthread_rwlock_t rows_lock;
	struct store_ordered *tables;
	unsigned tables_len;
	struct store_versions_group *groups, *groups_end; /* in the order of positions */
	size_t bytes, bytes_max;
	_Atomic uint64_t newest; /* the last position with kept rows */
};

/* The stamp changes under views_lock, so no view is ahead of it or behind it. */
void store_versions_init(struct store_versions *versions, unsigned tables_len,
			 _Atomic uint64_t *stamp);
void store_versions_done(struct store_versions *versions);

void store_versions_view_begin(struct store_versions *versions, struct store_snapshot *view);
void store_versions_view_end(struct store_versions *versions, struct store_snapshot *view);

/* ---- for the one thread that writes */

/* Is the row as it was before the commit under way kept already? */
bool store_versions_has(struct store_versions *versions, const struct store_place *place);
/* Before the row changes. NULL: there is no row. */
void store_versions_keep(struct store_versions *versions, const struct store_place *place,
			 const struct mx_slice *value);
/* From now on views see the commit under way, whose last stamp this is. */
void store_versions_publish(struct store_versions *versions, uint64_t stamp);

/* ---- for readers: always after they read the table */

enum store_version {
	STORE_VERSION_CURRENT, /* what the table says is right */
	STORE_VERSION_PRESENT, /* the value, copied into mem, is right */
	STORE_VERSION_ABSENT,
	STORE_VERSION_EXPIRED, /* the view was open for too long */
};

enum store_version store_versions_get(struct store_versions *versions,
				      const struct store_snapshot *view,
				      const struct store_place *place, struct mx_arena *mem,
				      struct mx_slice *ret_value);

struct store_versions_span {
	unsigned table;
	struct mx_slice from, to; /* an empty `to` has no end */
};

/* Adds the rows of the span that the view must see otherwise than the table has them. False when
 * the view is expired. */
bool store_versions_patch(struct store_versions *versions, const struct store_snapshot *view,
			  const struct store_versions_span *span, struct mx_arena *mem,
			  struct store_patches *patches);
