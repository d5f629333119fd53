/* Whole files and directory trees, durably: for backup and restore. */
#pragma once

#include "shared/core/slice.h"

#include <sys/types.h>

struct mx_error;

/* All return 0 or -MX_STORE with the path and the reason. Files are made with mode 0600,
 * directories with 0700, and never replace one that is there. */
int file_copy(const char *from, const char *to, struct mx_error *err);
int file_write(const char *to, struct mx_slice bytes, struct mx_error *err);
/* At most max bytes, owned by the caller (mx_free), with a NUL behind them. */
int file_read(const char *path, size_t max, char **ret_bytes, size_t *ret_len,
	      struct mx_error *err);
/* A new directory, or an empty one that is there. */
int directory_make(const char *path, struct mx_error *err);
int directory_sync(const char *path, struct mx_error *err);

/* Regular files and directories; anything else in it is refused. */
int tree_copy(const char *from, const char *to, struct mx_error *err);
/* The same for files that never change: one file under two names where that is possible. */
int tree_link(const char *from, const char *to, struct mx_error *err);
/* By renaming where possible; `to` is new or empty. */
int tree_move(const char *from, const char *to, struct mx_error *err);
void tree_remove(const char *path);
int tree_chown(const char *path, uid_t user, gid_t group, struct mx_error *err);
