/* The operator's subcommands; identity/README.md has their words. */
#pragma once

#include "shared/daemon/console.h"
#include "shared/daemon/daemon.h"

extern const struct daemon_command admin_commands[]; /* ended by { 0 } */

/* person_commands.c */
int admin_command_who(const void *conf, int argc, char **argv);
int admin_command_bind(const void *conf, int argc, char **argv);
int admin_command_unbind(const void *conf, int argc, char **argv);
int admin_command_export(const void *conf, int argc, char **argv);
int admin_command_erase(const void *conf, int argc, char **argv);
/* invite_commands.c */
int admin_command_sessions(const void *conf, int argc, char **argv);
int admin_command_invites(const void *conf, int argc, char **argv);
/* service_commands.c */
int admin_command_accounts(const void *conf, int argc, char **argv);
int admin_command_suppressions(const void *conf, int argc, char **argv);
int admin_command_audit(const void *conf, int argc, char **argv);
int admin_command_outbox(const void *conf, int argc, char **argv);
int admin_command_pepper(const void *conf, int argc, char **argv);

/* ---- what they have in common: line.c */

/* A command line without its options: argv[0] is the command. */
struct admin_line {
	int argc;
	char **argv;
	const void *conf;
	bool as_json;
	const char *reason, *after, *limit;
	const char *more[3]; /* values of the command's own options */
};

/* Options of the command's own; at most as many as line.more has room for, ended by NULL. One that
 * begins with '+' is a switch: its value is "true". */
typedef const char *const admin_options[4];

/* The line without the options, which are checked. False if there is one that does not belong. */
bool admin_line_read(struct admin_line *ret_line, const void *conf, int argc, char **argv);
bool admin_line_read_with(struct admin_line *ret_line, const admin_options own, const void *conf,
			  int argc, char **argv);

/* Whether it is WORD and as many more as `words` says. */
bool admin_line_is(const struct admin_line *line, const char *word, int words);

/* "/admin/v1" and the words, each encoded as one segment; ended by NULL. Owned by the caller. */
char *admin_path(const char *word, ...) __attribute__((sentinel));
/* Adds "?name=value" or "&name=value"; nothing if value is NULL. *path is replaced. */
void admin_path_add(char **path, const char *name, const char *value);

/*
 * Asks with GET, --after and --limit; print shows the answer to people, unless --json was there.
 * The exit status. Takes path over.
 */
int admin_show(const struct admin_line *line, char *path, void (*print)(const json_t *answer));
/* Tells with a body that has --reason and who asks, besides what is in `body` (may be NULL). Takes
 * path and body over. */
int admin_tell(const struct admin_line *line, const char *method, char *path, json_t *body);

/* print for each member of answer[key]; says so if there is none. */
void admin_print_each(const json_t *answer, const char *key, void (*print)(const json_t *item));
