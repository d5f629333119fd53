#include "shared/core/arena.h"
#include "shared/daemon/conf.h"
#include "shared/daemon/sanitizer.h"
#include "shared/daemon/state.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM "/bin/sh"

static const cyaml_schema_field_t no_fields[] = { CYAML_FIELD_END };
static const cyaml_schema_value_t schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct daemon_conf, no_fields),
};
static const struct daemon_app app = { .name = "trinity-small", .conf_schema = &schema };

/* The exit status of a program that was started, or 100 + errno. */
static int attempt(void)
{
	char name[] = PROGRAM, option[] = "-c", script[] = "exit $(cat < /dev/null | wc -c)";
	char *arguments[] = { name, option, script, NULL };
	char *environment[] = { NULL };
	int status, why;
	pid_t pid;

	why = posix_spawn(&pid, PROGRAM, NULL, NULL, arguments, environment);
	if (why)
		return 100 + why;
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
}

/* In a child: nobody gets out of a sandbox. */
static int attempt_inside(unsigned flags)
{
	struct daemon daemon = { .app = &app };
	pid_t pid;
	int status;

	assert_int_equal(conf_parse(&app, "f.yaml",
				    MX_SLICE("admin: 127.0.0.1:1\ndata_directory: /nonexistent\n"),
				    &daemon.conf, NULL),
			 0);
	daemon_path_add(&daemon.paths, PROGRAM, flags);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		sandbox_enter(&daemon);
		_exit(attempt());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	daemon_paths_done(&daemon.paths);
	conf_free(daemon.conf);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void nothing_is_executed(void **state)
{
	(void)state;
	if (MX_SANITIZED)
		skip();
	assert_int_equal(attempt_inside(0), 100 + EPERM);
}

static void a_program_of_the_configuration_is_executed(void **state)
{
	(void)state;
	assert_int_equal(attempt_inside(DAEMON_PATH_EXECUTE), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_executed),
		cmocka_unit_test(a_program_of_the_configuration_is_executed),
	};

	return cmocka_run_group_tests_name("daemon/sandbox", tests, NULL, NULL);
}
