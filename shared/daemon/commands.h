/* The subcommands that every daemon has. */
#pragma once

struct conf;
struct daemon_app;

/* "backup", "restore", "status", "reload". */
struct common_command {
	const char *name, *arguments, *help;
	int arguments_len;
	/* The exit status. */
	int (*run)(const struct daemon_app *app, struct conf *conf, char **argv);
};

extern const struct common_command common_commands[]; /* ended by { 0 } */

/* restore.c */
int command_restore(const struct daemon_app *app, struct conf *conf, char **argv);
