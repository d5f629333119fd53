#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/log.h"
#include "shared/core/str.h"
#include "shared/crypto/ed25519.h"
#include "shared/daemon/commands.h"
#include "shared/daemon/conf.h"
#include "shared/daemon/log_setup.h"
#include "shared/daemon/memory.h"
#include "shared/daemon/options.h"
#include "shared/daemon/state.h"

#include <sys/stat.h>

#define EXIT_USAGE 2

static int show_help(const struct daemon_app *app)
{
	mx_str_auto text = { 0 };

	options_write_help(app, &text);
	fputs(text.ptr, stdout);
	return 0;
}

static int usage_error(const struct daemon_app *app)
{
	fprintf(stderr, "Try \"%s --help\".\n", app->name);
	return EXIT_USAGE;
}

static void show_warnings(const struct mx_str *lines)
{
	struct mx_slice rest = mx_str_slice(lines), line;

	while (mx_split_next(&rest, '\n', &line))
		if (line.len)
			fprintf(stderr, "warning: %.*s\n", MX_SLICE_ARG(line));
}

/* NULL after saying why. */
static struct conf *load(const struct daemon_app *app, const char *path, struct mx_str *warnings)
{
	struct mx_error err = { 0 };
	struct conf *conf;
	int rc = conf_load(app, path, &conf, warnings, &err);

	if (rc == 0)
		return conf;
	show_warnings(warnings);
	fprintf(stderr, "%s\n", mx_error_text(&err, rc));
	return NULL;
}

static int check(const struct daemon_app *app, const char *path)
{
	mx_str_auto warnings = { 0 }, text = { 0 };
	struct conf *conf = load(app, path, &warnings);
	struct mx_error err = { 0 };

	if (!conf)
		return 1;
	show_warnings(&warnings);
	if (conf_check_files(app, conf, &err)) {
		fprintf(stderr, "%s\n", err.text);
		conf_free(conf);
		return 1;
	}
	conf_write(conf, &text);
	fputs(mx_str_slice(&text).ptr, stdout);
	conf_free(conf);
	return 0;
}

static int run_daemon(const struct daemon_app *app, const char *path)
{
	mx_str_auto warnings = { 0 };
	struct conf *conf = load(app, path, &warnings);

	if (!conf)
		return 1;
	log_setup_by(conf_values(conf));
	log_warnings(&warnings);
	return daemon_run(app, conf);
}

/* A command's log is for a person at a terminal. */
static struct conf *load_for_command(const struct daemon_app *app, const char *path)
{
	mx_str_auto warnings = { 0 };

	mx_log_setup(MX_LOG_WARN, MX_LOG_TEXT);
	umask(077);
	return load(app, path, &warnings);
}

static int run_common(const struct daemon_app *app, const struct common_command *command,
		      const struct options *options)
{
	struct conf *conf;
	int status;

	if (options->argc - 1 != command->arguments_len) {
		fprintf(stderr, "%s %s %s\n", app->name, command->name, command->arguments);
		return EXIT_USAGE;
	}
	conf = load_for_command(app, options->conf_path);
	if (!conf)
		return 1;
	status = command->run(app, conf, options->argv);
	conf_free(conf);
	return status;
}

static int run_own(const struct daemon_app *app, const struct daemon_command *command,
		   const struct options *options)
{
	struct conf *conf = NULL;
	int status;

	if (command->needs_conf) {
		conf = load_for_command(app, options->conf_path);
		if (!conf)
			return 1;
	}
	status = command->run(conf ? conf_values(conf) : NULL, options->argc, options->argv);
	conf_free(conf);
	return status;
}

static const struct daemon_command *find_own(const struct daemon_app *app, const char *name)
{
	for (const struct daemon_command *const *table = app->commands; table && *table; table++)
		for (const struct daemon_command *own = *table; own->name; own++)
			if (streq(name, own->name))
				return own;
	return NULL;
}

static int run_command(const struct daemon_app *app, const struct options *options)
{
	const char *name = options->argv[0];
	const struct daemon_command *own = find_own(app, name);

	if (streq(name, "help"))
		return show_help(app);
	if (own)
		return run_own(app, own, options);
	for (const struct common_command *common = common_commands; common->name; common++)
		if (streq(name, common->name))
			return run_common(app, common, options);
	fprintf(stderr, "%s: there is no command \"%s\"\n", app->name, name);
	return usage_error(app);
}

int daemon_main(const struct daemon_app *app, int argc, char **argv)
{
	struct options options;

	memory_setup();
	mx_alloc_hook_jansson();
	mx_crypto_init();
	if (!options_parse(app, argc, argv, &options))
		return usage_error(app);
	if (options.help)
		return show_help(app);
	if (options.version) {
		printf("%s %s\n", app->name, TRINITY_VERSION);
		return 0;
	}
	if (options.check)
		return check(app, options.conf_path);
	if (options.argc)
		return run_command(app, &options);
	return run_daemon(app, options.conf_path);
}
