#include "identity/commands.h"

#include "shared/daemon/console.h"
#include "shared/mail/trial.h"

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

static int command_mail(const void *conf, int argc, char **argv)
{
	static const struct trial_command mail = TRIAL_OF_MAIL(IDENTITY_PROGRAM);

	return trial_command_run(&mail, conf, argc, argv);
}

static int command_sms(const void *conf, int argc, char **argv)
{
	static const struct trial_command sms = {
		.program = IDENTITY_PROGRAM,
		.usage = "sms test [--json] NUMBER",
		.path = "/admin/v1/sms/test",
		.member = "number",
	};

	return trial_command_run(&sms, conf, argc, argv);
}

const struct daemon_command identity_commands[] = {
	{ "key", "list | generate FILE | import FILE | rotate | retire KEY_ID | revoke KEY_ID",
	  "the keys that the service signs with", true, identity_command_key },
	{ "import-sydent", "[--dry-run] SYDENT.DB [SYDENT.CONF]",
	  "take over what a Sydent has, its clients' sign-ins and its key included", true,
	  identity_command_import_sydent },
	{ "mail", "test [--json] ADDRESS", "send a mail now and show how far it came", true,
	  command_mail },
	{ "sms", "test [--json] NUMBER", "send a text message now and show how far it came", true,
	  command_sms },
	{ 0 },
};
