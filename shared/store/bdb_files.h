/*
 * The files of a store's directory:
 *	NAME.db		a table
 *	log.NNNNNNNNNN	the log
 *	tables		what must be there: tables with their lengths, the log's position
 *	closed		is there while the store was closed in order
 *	lock, reserve	empty lock file; disk space to give up (bdb_space.h)
 */
#pragma once

#include "shared/core/vec.h"

#include <stdbool.h>
#include <stdint.h>

struct mx_error;

struct store_file {
	char *name;
	int64_t length;
};

/* The lengths hold after a clean exit: a running store makes files longer and shorter. */
struct store_catalogue {
	struct mx_vec(struct store_file) files;
	uint32_t log_file, log_offset; /* 0: not known yet */
};

void store_catalogue_done(struct store_catalogue *catalogue);

/* Empty when there is none yet; -MX_STORE when it is unreadable or of a newer kind. */
int store_catalogue_load(const char *directory, struct store_catalogue *ret_catalogue,
			 struct mx_error *err);

/* Whole or not at all; false when the disk refuses. */
bool store_catalogue_store(const char *directory, const struct store_catalogue *catalogue);

/* The files as they are now that end in .db, or begin with log. */
int store_files_list(const char *directory, bool logs, struct store_catalogue *ret_catalogue,
		     struct mx_error *err);

/* Everything written down is there and not empty; `closed`: and long enough. */
int store_catalogue_check(const char *directory, const struct store_catalogue *catalogue,
			  bool closed, struct mx_error *err);

bool store_is_marked_closed(const char *directory);
bool store_mark_closed(const char *directory);
bool store_mark_open(const char *directory);

/* True when the directory's entries are on the disk. */
bool store_directory_sync(const char *directory);
