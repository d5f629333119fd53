#include "identity/commands.h"

#include "shared/daemon/console.h"

json_t *identity_ask(const void *conf, const char *method, const char *path, const json_t *body)
{
	return console_ask(IDENTITY_PROGRAM, conf, method, path, body);
}

int identity_usage(const char *usage)
{
	return console_usage(IDENTITY_PROGRAM, usage);
}

int identity_failed(const struct mx_error *err)
{
	return console_fail(IDENTITY_PROGRAM, err);
}

const struct daemon_command identity_commands[] = {
	{ "key", "list | generate FILE | import FILE | rotate | retire KEY_ID | revoke KEY_ID",
	  "the keys that the service signs with", true, identity_command_key },
	{ "import-sydent", "[--dry-run] SYDENT.DB [SYDENT.CONF]",
	  "take over what a Sydent has, its clients' sign-ins and its key included", true,
	  identity_command_import_sydent },
	{ "mail", "test [--json] ADDRESS", "send a mail now and show how far it came", true,
	  identity_command_mail },
	{ "sms", "test [--json] NUMBER", "send a text message now and show how far it came", true,
	  identity_command_sms },
	{ 0 },
};
