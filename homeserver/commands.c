#include "homeserver/commands.h"

#include "shared/mail/trial.h"

static int command_mail(const void *conf, int argc, char **argv)
{
	static const struct trial_command mail = TRIAL_OF_MAIL(HS_PROGRAM);

	return trial_command_run(&mail, conf, argc, argv);
}

const struct daemon_command hs_commands[] = {
	{ "key", "list | generate FILE | import FILE | rotate | retire KEY_ID",
	  "the keys that events and requests are signed with", true, hs_command_key },
	{ "mail", "test [--json] ADDRESS", "send a mail now and show how far it came", true,
	  command_mail },
	{ "media", "list USER | show MEDIA | quarantine MEDIA | release MEDIA | remove MEDIA",
	  "what people uploaded", true, hs_command_media },
	{ "report", "list | remove ID", "what users reported", true, hs_command_report },
	{ "room", "list | show ROOM | block ROOM [--reason TEXT] | unblock ROOM | …",
	  "the rooms that people here are in", true, hs_command_room },
	{ "user", "list | show USER | add NAME | password USER | lock USER | …",
	  "the people who have an account here", true, hs_command_user },
	{ "registration-token", "list | add [--token TEXT] [--uses N] [--days N] | remove TEXT",
	  "what people register with where registration.mode is token", true,
	  hs_command_registration_token },
	{ 0 },
};
