/* Subcommands of trinity-homeserver. packaging/man/trinity-homeserver.8 describes them. */
#pragma once

#include "shared/daemon/daemon.h"

#define HS_PROGRAM "trinity-homeserver"

extern const struct daemon_command hs_commands[]; /* ended by { 0 } */

/* commands_key.c */
int hs_command_key(const void *conf, int argc, char **argv);
/* commands_media.c */
int hs_command_media(const void *conf, int argc, char **argv);
/* commands_room.c */
int hs_command_room(const void *conf, int argc, char **argv);
int hs_command_report(const void *conf, int argc, char **argv);
/* commands_user.c */
int hs_command_user(const void *conf, int argc, char **argv);
int hs_command_registration_token(const void *conf, int argc, char **argv);
