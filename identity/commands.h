/* Subcommands of trinity-identity. packaging/man/trinity-identity.8 describes them. */
#pragma once

#include "shared/daemon/daemon.h"

#include <jansson.h>

#define IDENTITY_PROGRAM "trinity-identity"

extern const struct daemon_command identity_commands[]; /* ended by { 0 } */

/* console.h for the identity service. */
json_t *identity_ask(const void *conf, const char *method, const char *path, const json_t *body);
int identity_usage(const char *usage);
int identity_failed(const struct mx_error *err);

/* commands_key.c */
int identity_command_key(const void *conf, int argc, char **argv);
/* commands_import.c */
int identity_command_import_sydent(const void *conf, int argc, char **argv);
