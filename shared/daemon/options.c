#include "shared/daemon/options.h"

#include "shared/core/str.h"
#include "shared/daemon/commands.h"
#include "shared/daemon/daemon.h"

#include <getopt.h>

enum { OPTION_CHECK = 256, OPTION_VERSION, OPTION_HELP };

static const struct option long_options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "check", no_argument, NULL, OPTION_CHECK },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ 0 },
};

bool options_parse(const struct daemon_app *app, int argc, char **argv, struct options *ret_options)
{
	struct options options = { .conf_path = app->default_conf };
	int option;

	/* '+': what follows a subcommand is the subcommand's. */
	while ((option = getopt_long(argc, argv, "+c:h", long_options, NULL)) != -1) {
		switch (option) {
		case 'c': options.conf_path = optarg; break;
		case OPTION_CHECK: options.check = true; break;
		case OPTION_VERSION: options.version = true; break;
		case 'h':
		case OPTION_HELP: options.help = true; break;
		default: return false;
		}
	}
	options.argc = argc - optind;
	options.argv = argv + optind;
	*ret_options = options;
	return true;
}

static void write_command(struct mx_str *out, const char *name, const char *arguments,
			  const char *help)
{
	mx_str_addf(out, "  %s%s%s\n      %s\n", name, arguments[0] ? " " : "", arguments, help);
}

void options_write_help(const struct daemon_app *app, struct mx_str *out)
{
	mx_str_addf(out,
		    "%s [-c FILE]             run the daemon in the foreground\n"
		    "%s [-c FILE] --check     check the configuration and print what is in force\n"
		    "%s [-c FILE] COMMAND …   see below\n"
		    "%s --version | --help\n\n"
		    "Without -c the configuration is %s.\n\nCommands:\n",
		    app->name, app->name, app->name, app->name, app->default_conf);
	for (const struct common_command *command = common_commands; command->name; command++)
		write_command(out, command->name, command->arguments, command->help);
	write_command(out, "help", "", "this text");
	for (const struct daemon_command *const *table = app->commands; table && *table; table++)
		for (const struct daemon_command *command = *table; command->name; command++)
			write_command(out, command->name,
				      command->arguments ? command->arguments : "", command->help);
}
