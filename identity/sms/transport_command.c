/* A program of the operator's: the text on its standard input; 0 = sent, 75 (sysexits.h,
 * "temporary failure") = not now, anything else = refused. There is no shell. */
#include "identity/sms/sms_conf.h"
#include "identity/sms/sms_transport.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/time.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#define SLICE_MS     200
#define FIRST_UNUSED 3

static int check(const struct sms_conf *conf, struct mx_error *err)
{
	if (conf->command_count == 0)
		return mx_fail(err, MX_BAD_CONFIG, "sms.command is missing");
	if (*conf->command[0] != '/')
		return mx_fail(err, MX_BAD_CONFIG, "sms.command: %s is no absolute path",
			       conf->command[0]);
	return 0;
}

/* ---- starting */

static void add_replaced(struct mx_str *out, const char *argument, const char *name,
			 const char *value)
{
	const char *at;

	while ((at = strstr(argument, name))) {
		mx_str_add(out, argument, (size_t)(at - argument));
		mx_str_add_text(out, value);
		argument = at + strlen(name);
	}
	mx_str_add_text(out, argument);
}

/* The values are digits, and a sender that the configuration has. */
static char *argument_of(const char *template, const struct sms_message *message,
			 struct mx_arena *mem)
{
	mx_str_auto half = { 0 }, whole = { 0 };

	add_replaced(&half, template, "{{ to }}", message->to);
	add_replaced(&whole, half.ptr, "{{ from }}", message->from);
	return mx_arena_strdup(mem, whole.ptr);
}

static char **arguments_of(const struct sms_conf *conf, const struct sms_message *message,
			   struct mx_arena *mem)
{
	char **arguments = mx_arena_calloc(mem, conf->command_count + 1, sizeof(*arguments));

	arguments[0] = mx_arena_strdup(mem, conf->command[0]);
	for (unsigned i = 1; i < conf->command_count; i++)
		arguments[i] = argument_of(conf->command[i], message, mem);
	return arguments;
}

/* A file in memory: unlike a pipe it takes the whole text at once, whatever the program does. */
static int input_open(const char *text)
{
	int fd = memfd_create("text", MFD_CLOEXEC);
	size_t len = strlen(text);

	if (fd < 0)
		return -1;
	if (write(fd, text, len) == (ssize_t)len && lseek(fd, 0, SEEK_SET) == 0)
		return fd;
	close(fd);
	return -1;
}

/* Our threads block all signals; the program must be able to be ended. */
static void set_attributes(posix_spawnattr_t *attributes)
{
	sigset_t none, all;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_setsigmask(attributes, &none);
	posix_spawnattr_setsigdefault(attributes, &all);
	posix_spawnattr_setpgroup(attributes, 0);
	posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
						     POSIX_SPAWN_SETPGROUP);
}

static int spawn(char **arguments, int input, pid_t *ret_pid)
{
	static char path[] = "PATH=/usr/local/bin:/usr/bin:/bin", language[] = "LC_ALL=C.UTF-8";
	static char *const environment[] = { path, language, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int why;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addclosefrom_np(&actions, FIRST_UNUSED);
	posix_spawnattr_init(&attributes);
	set_attributes(&attributes);
	why = posix_spawn(ret_pid, arguments[0], &actions, &attributes, arguments, environment);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return why;
}

/* ---- waiting */

static bool is_hurried(const struct sms_message *message)
{
	return message->hurry && *message->hurry;
}

/* False if it had to be ended. */
static bool wait_for(pid_t pid, int64_t until_ms, const struct sms_message *message,
		     int *ret_status)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd ended = { .fd = fd, .events = POLLIN };
	bool in_time = false;

	while (!in_time && mx_mono_ms() < until_ms && !is_hurried(message)) {
		int64_t left_ms = until_ms - mx_mono_ms();

		poll(&ended, 1, (int)(left_ms < SLICE_MS ? left_ms : SLICE_MS));
		in_time = waitpid(pid, ret_status, WNOHANG) == pid;
	}
	if (!in_time) {
		kill(-pid, SIGKILL);
		waitpid(pid, ret_status, 0);
	}
	if (fd >= 0)
		close(fd);
	return in_time;
}

static enum outbox_result result_of(int status, struct mx_error *err)
{
	if (!WIFEXITED(status)) {
		mx_fail(err, MX_REMOTE_FAILED, "command: ended by signal %d", WTERMSIG(status));
		return OUTBOX_UNSURE;
	}
	if (WEXITSTATUS(status) == 0)
		return OUTBOX_SENT;
	mx_fail(err, MX_REMOTE_FAILED, "command: exit status %d", WEXITSTATUS(status));
	return WEXITSTATUS(status) == EX_TEMPFAIL ? OUTBOX_AGAIN : OUTBOX_REFUSED;
}

static enum outbox_result run(const struct sms_settings *settings,
			      const struct sms_message *message, struct mx_error *err)
{
	mx_arena_auto *mem = mx_arena_new(0);
	char **arguments = arguments_of(settings->conf, message, mem);
	int64_t until_ms = mx_mono_ms() + settings->conf->timeout_ms;
	int input = input_open(message->text), why, status = 0;
	pid_t pid;

	if (input < 0) {
		mx_fail(err, MX_REMOTE_FAILED, "command: no file for the text");
		return OUTBOX_AGAIN;
	}
	why = spawn(arguments, input, &pid);
	close(input);
	if (why) {
		mx_fail(err, MX_REMOTE_FAILED, "command: %s", strerror(why));
		return OUTBOX_AGAIN;
	}
	if (wait_for(pid, until_ms, message, &status))
		return result_of(status, err);
	mx_fail(err, MX_REMOTE_TIMEOUT, "command: ended after %u ms", settings->conf->timeout_ms);
	return OUTBOX_UNSURE;
}

const struct sms_transport sms_command = {
	.name = "command",
	.check = check,
	.run = run,
};
