#include "shared/daemon/chores.h"

#include "shared/core/alloc.h"
#include "shared/core/log.h"
#include "shared/core/thread.h"
#include "shared/core/time.h"

struct chores {
	void *ctx;
	const struct chore *list;
	int64_t *due_ms; /* monotonic; the thread's */
	size_t len;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t stop;
	bool stopping; /* under the lock */
};

/* Does what is due; when the next is. */
static int64_t do_due(struct chores *chores, int64_t mono_ms)
{
	int64_t next_ms = INT64_MAX;

	for (size_t i = 0; i < chores->len; i++) {
		const struct chore *chore = &chores->list[i];
		size_t done = 0;

		if (chores->due_ms[i] <= mono_ms) {
			done = chore->run(chores->ctx, mx_now_ms());
			chores->due_ms[i] = mono_ms + chore->every_ms;
		}
		if (done > 0)
			mx_log(MX_LOG_INFO, "removed what is over", "what", chore->name, "count",
			       mx_log_num((int64_t)done), NULL);
		if (chores->due_ms[i] < next_ms)
			next_ms = chores->due_ms[i];
	}
	return next_ms;
}

/* False once it is to stop. */
static bool sleep_until(struct chores *chores, int64_t mono_ms)
{
	int64_t wait_ms = mono_ms - mx_mono_ms();

	return mx_cond_sleep(&chores->stop, &chores->lock, &chores->stopping,
			     wait_ms > 0 ? wait_ms * 1000 : 0);
}

static void *chores_thread(void *ctx)
{
	struct chores *chores = ctx;

	mx_thread_yields();
	while (sleep_until(chores, do_due(chores, mx_mono_ms())))
		continue;
	return NULL;
}

struct chores *chores_start(void *ctx, const struct chore *list, size_t len)
{
	struct chores *chores = mx_calloc(1, sizeof(*chores));

	chores->ctx = ctx;
	chores->list = list;
	chores->len = len;
	chores->due_ms = mx_calloc(len, sizeof(*chores->due_ms));
	for (size_t i = 0; i < len; i++)
		chores->due_ms[i] = mx_mono_ms() + (list[i].at_start ? 0 : list[i].every_ms);
	pthread_mutex_init(&chores->lock, NULL);
	mx_cond_init(&chores->stop);
	chores->thread = mx_thread_start("chores", chores_thread, chores);
	return chores;
}

void chores_stop(struct chores *chores)
{
	if (!chores)
		return;
	pthread_mutex_lock(&chores->lock);
	chores->stopping = true;
	pthread_cond_signal(&chores->stop);
	pthread_mutex_unlock(&chores->lock);
	pthread_join(chores->thread, NULL);
	pthread_cond_destroy(&chores->stop);
	pthread_mutex_destroy(&chores->lock);
	mx_free(chores->due_ms);
	mx_free(chores);
}
