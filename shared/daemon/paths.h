/* The files and directories that a daemon uses. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct conf;
struct daemon_app;

struct daemon_path {
	char *path;
	unsigned flags; /* enum daemon_path_flags */
};

/* `{ 0 }` is empty. */
struct daemon_paths {
	struct daemon_path *items;
	size_t len, cap;
};

/* The configuration's own file, what `tls` and `outbound` name, and what the app adds; not the
 * data directory. */
void daemon_paths_collect(const struct daemon_app *app, struct conf *conf,
			  struct daemon_paths *paths);
void daemon_paths_done(struct daemon_paths *paths);

/* Whether one of them is a program. */
bool daemon_paths_execute(const struct daemon_paths *paths);
