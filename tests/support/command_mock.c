#include "tests/support/command_mock.h"

#include "shared/core/alloc.h"
#include "shared/core/error.h"

#include <stdio.h>

#define WORDS_MAX 15

struct command_mock played;

int __wrap_daemon_ask(const struct daemon_conf *conf, const char *method, const char *path,
		      const char *body, int *ret_status, char **ret_text, struct mx_error *err);

int __wrap_daemon_ask(const struct daemon_conf *conf, const char *method, const char *path,
		      const char *body, int *ret_status, char **ret_text, struct mx_error *err)
{
	(void)conf;
	mx_str_addf(&played.asked, "%s%s %s%s%s", played.requests++ ? "\n" : "", method, path,
		    body ? " " : "", body ? body : "");
	if (played.rc)
		return mx_fail(err, MX_REMOTE_FAILED, "no answer at unix:/x");
	*ret_status = played.status;
	*ret_text = mx_strdup(played.answer);
	return 0;
}

int command_mock_reset(void **state)
{
	(void)state;
	mx_str_done(&played.asked);
	played = (struct command_mock){ .status = 200, .answer = "{}" };
	return 0;
}

int command_run(const struct daemon_command *commands, const void *conf, const char *line,
		struct mx_str *said)
{
	mx_autofree char *words = mx_strdup(line);
	FILE *out = tmpfile(), *real_out = stdout, *real_err = stderr;
	char *argv[WORDS_MAX + 1] = { 0 }, *rest = words, buffer[4096];
	int argc = 0, status = -1;
	size_t len;

	while (argc < WORDS_MAX && (argv[argc] = strsep(&rest, " ")))
		argc++;
	stdout = stderr = out;
	for (; commands->name; commands++)
		if (streq(commands->name, argv[0]))
			status = commands->run(conf, argc, argv);
	stdout = real_out;
	stderr = real_err;
	rewind(out);
	while (said && (len = fread(buffer, 1, sizeof(buffer), out)) > 0)
		mx_str_add(said, buffer, len);
	fclose(out);
	return status;
}
