/* The command line. */
#pragma once

#include <stdbool.h>

struct daemon_app;
struct mx_str;

struct options {
	const char *conf_path;
	bool check, version, help;
	int argc; /* the subcommand and what follows it; 0 = run the daemon */
	char **argv;
};

/* False for options that do not exist; says so. */
bool options_parse(const struct daemon_app *app, int argc, char **argv,
		   struct options *ret_options);
void options_write_help(const struct daemon_app *app, struct mx_str *out);
