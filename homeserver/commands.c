#include "homeserver/commands.h"

const struct daemon_command hs_commands[] = {
	{ "key", "list | generate FILE | import FILE | rotate | retire KEY_ID",
	  "the keys that events and requests are signed with", true, hs_command_key },
	{ 0 },
};
