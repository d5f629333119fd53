/* The thread that writes checkpoints, removes old logs and watches the disk. */
#pragma once

#include <stddef.h>

struct bdb;
struct bdb_keeper;
struct mx_metrics;

struct bdb_keeper *store_keeper_start(struct bdb *bdb, struct mx_metrics *metrics);
void store_keeper_stop(struct bdb_keeper *keeper);

/* So many bytes went into the log: a checkpoint may be due. */
void store_keeper_logged(struct bdb_keeper *keeper, size_t bytes);

/* While paused, no log is removed. */
void store_keeper_pause(struct bdb_keeper *keeper);
void store_keeper_resume(struct bdb_keeper *keeper);
