/* The operator's subcommands; identity/README.md has their words. */
#pragma once

#include "shared/daemon/console.h"
#include "shared/daemon/daemon.h"

extern const struct daemon_command admin_commands[]; /* ended by { 0 } */

/* person_commands.c */
int admin_command_who(const void *conf, int argc, char **argv);

/* ---- what they have in common */

/* "/admin/v1" and the words, each encoded as one segment; ended by NULL. Owned by the caller. */
char *admin_path(const char *word, ...) __attribute__((sentinel));

/* Adds "?name=value" or "&name=value"; nothing if value is NULL. *path is replaced. */
void admin_path_add(char **path, const char *name, const char *value);

/* "There is nothing to show." on standard error: scripts read nothing. */
void admin_say_nothing(void);
/* What to write for the next page, on standard error, if there is one. */
void admin_say_next(const json_t *answer);
