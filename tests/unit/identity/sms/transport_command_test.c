#include "identity/sms/sms_conf.h"
#include "identity/sms/sms_settings.h"
#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/daemon/files.h"
#include "tests/support/store_fixture.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

#define TO "447700900001"

static struct {
	char *directory;
	char program[256], output[256];
} place;

static int setup(void **state)
{
	(void)state;
	place.directory = store_fixture_directory();
	snprintf(place.program, sizeof(place.program), "%s/send", place.directory);
	snprintf(place.output, sizeof(place.output), "%s/output", place.directory);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	store_fixture_directory_remove(place.directory);
	return 0;
}

static void write_program(const char *text)
{
	assert_int_equal(file_write(place.program, mx_slice(text), NULL), 0);
	assert_int_equal(chmod(place.program, 0700), 0);
}

static enum outbox_result run(unsigned timeout_ms, const _Atomic bool *hurry, struct mx_error *err)
{
	const char *command[] = { place.program, place.output, "to={{ to }}", "{{ from }}" };
	const struct sms_conf conf = {
		.gateway = "command",
		.command = command,
		.command_count = 4,
		.timeout_ms = timeout_ms,
	};
	const struct sms_message message = {
		.to = TO, .from = "$(id) Ex", .text = "Code \"1\"; `id`\n", .hurry = hurry
	};
	struct sms_settings *settings;
	enum outbox_result result;

	assert_int_equal(sms_settings_new(&conf, &settings, NULL), 0);
	result = sms_transport_send(NULL, settings, &message, err);
	sms_settings_unref(settings);
	return result;
}

static void a_program_gets_arguments_and_the_text(void **state)
{
	mx_autofree char *output = NULL;
	size_t len;

	(void)state;
	write_program("#!/bin/sh\n{ echo \"$2|$3\"; cat; } > \"$1\"\n");
	assert_int_equal(run(10000, NULL, NULL), OUTBOX_SENT);
	assert_int_equal(file_read(place.output, 1000, &output, &len, NULL), 0);
	assert_string_equal(output, "to=" TO "|$(id) Ex\nCode \"1\"; `id`\n");
}

static void its_exit_status_is_the_result(void **state)
{
	struct mx_error err = { 0 };

	(void)state;
	write_program("#!/bin/sh\nexit 75\n");
	assert_int_equal(run(10000, NULL, &err), OUTBOX_AGAIN);
	assert_string_equal(err.text, "command: exit status 75");
}

static void any_other_status_is_a_refusal(void **state)
{
	(void)state;
	write_program("#!/bin/sh\nexit 1\n");
	assert_int_equal(run(10000, NULL, NULL), OUTBOX_REFUSED);
}

static void nobody_knows_what_a_killed_program_did(void **state)
{
	(void)state;
	write_program("#!/bin/sh\nkill -9 $$\n");
	assert_int_equal(run(10000, NULL, NULL), OUTBOX_UNSURE);
}

static void a_program_that_is_not_there_is_tried_again(void **state)
{
	(void)state;
	assert_int_equal(run(10000, NULL, NULL), OUTBOX_AGAIN);
}

/* The write end of the pipe is in the child too: reading ends when all of them are gone. */
static void a_program_that_hangs_is_ended_with_its_children(void **state)
{
	struct mx_error err = { 0 };
	char byte;
	int fd;

	(void)state;
	assert_int_equal(mkfifo(place.output, 0600), 0);
	fd = open(place.output, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	write_program("#!/bin/sh\nexec 3> \"$1\"\nprintf x >&3\nsleep 1000 &\nwait\n");
	assert_int_equal(run(1000, NULL, &err), OUTBOX_UNSURE);
	assert_string_equal(err.text, "command: ended after 1000 ms");
	assert_int_equal(fcntl(fd, F_SETFL, 0), 0);
	assert_int_equal(read(fd, &byte, 1), 1);
	assert_int_equal(read(fd, &byte, 1), 0);
	close(fd);
}

static void a_stop_does_not_wait_for_a_program(void **state)
{
	const _Atomic bool hurry = true;
	int64_t began_ms = mx_mono_ms();

	(void)state;
	write_program("#!/bin/sh\nexec sleep 1000\n");
	assert_int_equal(run(60000, &hurry, NULL), OUTBOX_UNSURE);
	assert_in_range(mx_mono_ms() - began_ms, 0, 30000);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_program_gets_arguments_and_the_text),
		TEST(its_exit_status_is_the_result),
		TEST(any_other_status_is_a_refusal),
		TEST(nobody_knows_what_a_killed_program_did),
		TEST(a_program_that_is_not_there_is_tried_again),
		TEST(a_program_that_hangs_is_ended_with_its_children),
		TEST(a_stop_does_not_wait_for_a_program),
	};

	return cmocka_run_group_tests_name("sms/transport_command", tests, NULL, NULL);
}
