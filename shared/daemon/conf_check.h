/* Defaults, and what the structure of a configuration file cannot say. */
#pragma once

struct conf;
struct daemon_app;
struct mx_error;
struct mx_str;

/* Reads files but writes nothing. Adds a line to warnings for each thing that the daemon can
 * live with. -MX_BAD_CONFIG with "FILE: KEY: why". */
int conf_check(const struct daemon_app *app, struct conf *conf, struct mx_str *warnings,
	       struct mx_error *err);
