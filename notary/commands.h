/* Subcommands of trinity-notary. packaging/man/trinity-notary.8 describes them. */
#pragma once

#include "shared/daemon/daemon.h"

#include <jansson.h>

#define NOTARY_PROGRAM "trinity-notary"

extern const struct daemon_command notary_commands[]; /* ended by { 0 } */

/* commands_show.c, commands_key.c, commands_import.c */
int command_overview(const void *conf, int argc, char **argv);
int command_inspect(const void *conf, int argc, char **argv);
int command_refetch(const void *conf, int argc, char **argv);
int command_verify(const void *conf, int argc, char **argv);
int command_conflicts(const void *conf, int argc, char **argv);
int command_audit(const void *conf, int argc, char **argv);
int command_key(const void *conf, int argc, char **argv);
int command_import(const void *conf, int argc, char **argv);
int command_export(const void *conf, int argc, char **argv);

/* console.h for the notary. */
json_t *command_ask(const void *conf, const char *method, const char *path, const json_t *body);
int command_usage(const char *usage);

/* "/admin/v1/servers/SERVER" and rest; owned by the caller. */
char *command_server_path(const char *server, const char *rest);
