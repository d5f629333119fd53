/* A configuration file: read strictly, completed, checked; never changed once loaded. */
#pragma once

#include "shared/core/slice.h"
#include "shared/core/str.h"

#include <stdbool.h>

struct conf;
struct daemon_app;
struct mx_error;

#define CONF_BYTES_MAX (256u * 1024)

/*
 * Reads, fills defaults and checks, without side effects. -MX_BAD_CONFIG with
 * "FILE:LINE: KEY: why", or "FILE: KEY: why" where no line is to blame. What the daemon can live
 * with goes into warnings, a line each.
 */
int conf_load(const struct daemon_app *app, const char *path, struct conf **ret_conf,
	      struct mx_str *warnings, struct mx_error *err);

/* What the files that it names hold: daemon_app.files_check. */
int conf_check_files(const struct daemon_app *app, struct conf *conf, struct mx_error *err);

/* The structure only: text against the joined schema. `file` is for messages. */
int conf_parse(const struct daemon_app *app, const char *file, struct mx_slice text,
	       struct conf **ret_conf, struct mx_error *err);
void conf_free(struct conf *conf);

/* The daemon's own struct, which begins with a struct daemon_conf. */
void *conf_values(struct conf *conf);
const char *conf_path(const struct conf *conf);

/* The effective configuration as YAML; loading it gives the same again. Files that hold secrets
 * are named, not shown. */
void conf_write(const struct conf *conf, struct mx_str *out);

/* Whether the key, or "section.key", has the same value in both, which are of one daemon. */
bool conf_same(const struct conf *a, const struct conf *b, const char *key);
