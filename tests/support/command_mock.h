/* The commands of a program, and the daemon that they ask, which is played. For programs with the
 * line wrap: daemon_ask. */
#pragma once

#include "shared/core/str.h"
#include "shared/daemon/daemon.h"

struct command_mock {
	/* How it answers: 200 and {} after command_mock_reset(). rc: it is not there. */
	int rc, status;
	const char *answer;

	unsigned requests;
	struct mx_str asked; /* "POST /admin/v1/x BODY", each request in a line of its own */
};

extern struct command_mock played;

/* Setup and teardown of a test, or in its midst: nothing was asked. */
int command_mock_reset(void **state);

#define command_test(function) \
	cmocka_unit_test_setup_teardown(function, command_mock_reset, command_mock_reset)

/* The exit status of a command line; words are separated by one blank each. What it prints is in
 * `said` if that is not NULL. */
int command_run(const struct daemon_command *commands, const void *conf, const char *line,
		struct mx_str *said);
