#include "shared/core/error.h"
#include "shared/core/log.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/daemon/notify.h"
#include "shared/daemon/state.h"

#include <signal.h>
#include <time.h>
#include <unistd.h>

#define WATCH_MS (10 * MX_SECOND_MS)

static sigset_t handled_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	return set;
}

void signals_block(void)
{
	sigset_t set = handled_signals();

	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static void reload(struct daemon *daemon)
{
	struct mx_error err = { 0 };
	int rc = daemon_reload(daemon, &err);

	if (rc)
		mx_log(MX_LOG_ERROR, "the new configuration is refused, the old one stays", "why",
		       mx_error_text(&err, rc), NULL);
}

/* The signal, or 0 when it is time for the watchdog. */
static int wait_signal(int64_t ms)
{
	sigset_t set = handled_signals();
	struct timespec timeout = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
	int number = sigtimedwait(&set, NULL, &timeout);

	return number > 0 ? number : 0;
}

void signals_serve(struct daemon *daemon)
{
	int64_t watchdog_ms = notify_watchdog_ms(), watched_ms = mx_mono_ms();
	int64_t wait_ms = watchdog_ms && watchdog_ms < WATCH_MS ? watchdog_ms : WATCH_MS;

	while (true) {
		int number = wait_signal(wait_ms);

		if (number == SIGTERM || number == SIGINT)
			return;
		if (number == SIGHUP)
			reload(daemon);
		if (watchdog_ms)
			notify_send("WATCHDOG=1");
		if (mx_mono_ms() - watched_ms < WATCH_MS)
			continue;
		watched_ms = mx_mono_ms();
		certificate_watch(daemon);
	}
}

/* Only what is safe in a signal handler. What was acknowledged is durable. */
static void give_up(int number)
{
	static const char text[] = "stopping took too long: ended now\n";
	ssize_t unused = write(STDERR_FILENO, text, sizeof(text) - 1);

	(void)number;
	(void)unused;
	_exit(1);
}

void signals_deadline(unsigned seconds)
{
	struct sigaction action = { .sa_handler = give_up };

	sigaction(SIGALRM, &action, NULL);
	alarm(seconds);
}
