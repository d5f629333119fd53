#include "identity/source/source.h"

#include "identity/source/source_state.h"
#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/log.h"
#include "shared/core/metrics.h"
#include "shared/core/str.h"
#include "shared/core/thread.h"
#include "shared/core/time.h"
#include "shared/daemon/files.h"

#include <sodium.h>
#include <stdio.h>

#define SECRET_MAX    4096
#define REST_FIRST_MS MX_SECOND_MS
#define REST_MAX_MS   MX_MINUTE_MS

/* ---- opening */

static int read_secret(struct source *source, struct mx_error *err)
{
	const char *path = source->conf->password_file;
	size_t len;

	if (!path)
		return 0;
	if (file_read(path, SECRET_MAX, &source->secret, &len, NULL))
		return mx_fail(err, MX_BAD_CONFIG, "sources: %s: %s cannot be read",
			       source->conf->name, path);
	source->secret[strcspn(source->secret, "\r\n")] = '\0';
	/* Spec: RFC 4513, 5.1.2: with an empty one, servers let anybody in as nobody. */
	if (!*source->secret)
		return mx_fail(err, MX_BAD_CONFIG, "sources: %s: %s is empty", source->conf->name,
			       path);
	return 0;
}

static void make_metrics(struct source *source, struct mx_metrics *metrics)
{
	mx_autofree char *labels = mx_strf("source=\"%s\"", source->conf->name);

	if (!metrics)
		return;
	source->asked = mx_counter_new(metrics, "identity_source_asked_total",
				       "Questions to a source", labels);
	source->failed = mx_counter_new(metrics, "identity_source_failures_total",
					"Questions and readings that failed", labels);
	source->left_out = mx_counter_new(metrics, "identity_source_left_out_total",
					  "Answers that were given without asking it", labels);
	source->listed = mx_gauge_new(metrics, "identity_source_addresses",
				      "Addresses in its last whole reading", labels);
}

static int open_source(struct sources *sources, const struct source_conf *conf,
		       struct mx_error *err)
{
	static const struct source_kind *const kinds[] = {
		[SOURCE_LDAP] = &source_ldap, [SOURCE_HTTP] = &source_http
	};
	struct source *source = &sources->items[sources->len];
	int rc;

	source->sources = sources;
	source->place = (unsigned)sources->len++;
	source->conf = conf;
	source->kind = kinds[conf->type];
	pthread_mutex_init(&source->lock, NULL);
	mx_cond_init(&source->change);
	make_metrics(source, sources->conf.metrics);
	rc = read_secret(source, err);
	if (rc)
		return rc;
	source->setup = (struct source_setup){
		.conf = conf,
		.secret = source->secret,
		.ca_file = conf->ca_file ? conf->ca_file : sources->conf.ca_file,
		.dns_servers = sources->conf.dns_servers,
	};
	return source->kind->open(&source->setup, &source->state, err);
}

int sources_new(const struct sources_conf *conf, struct sources **ret_sources, struct mx_error *err)
{
	struct sources *sources = mx_calloc(1, sizeof(*sources));
	int rc = 0;

	sources->conf = *conf;
	for (unsigned i = 0; rc == 0 && i < conf->len; i++)
		rc = open_source(sources, &conf->items[i], err);
	if (rc == 0)
		rc = source_forget_others(sources, err);
	if (rc) {
		sources_free(sources);
		return rc;
	}
	*ret_sources = sources;
	return 0;
}

static void close_source(struct source *source)
{
	if (source->state)
		source->kind->close(source->state);
	if (source->secret)
		sodium_memzero(source->secret, strlen(source->secret));
	mx_free(source->secret);
	pthread_cond_destroy(&source->change);
	pthread_mutex_destroy(&source->lock);
}

void sources_free(struct sources *sources)
{
	if (!sources)
		return;
	sources_stop(sources);
	for (size_t i = 0; i < sources->len; i++)
		close_source(&sources->items[i]);
	mx_free(sources);
}

/* ---- life */

void sources_start(struct sources *sources)
{
	for (size_t i = 0; sources && i < sources->len; i++) {
		struct source *source = &sources->items[i];

		if (!*source->conf->read)
			continue;
		source->thread = mx_thread_start("source", source_reader, source);
		source->running = true;
	}
}

void sources_stop(struct sources *sources)
{
	if (!sources)
		return;
	sources->stopping = true;
	for (size_t i = 0; i < sources->len; i++) {
		struct source *source = &sources->items[i];

		pthread_mutex_lock(&source->lock);
		pthread_cond_broadcast(&source->change);
		pthread_mutex_unlock(&source->lock);
	}
	for (size_t i = 0; i < sources->len; i++) {
		if (sources->items[i].running)
			pthread_join(sources->items[i].thread, NULL);
		sources->items[i].running = false;
	}
}

struct source *source_find(struct sources *sources, const char *name)
{
	for (size_t i = 0; i < sources->len; i++)
		if (streq(sources->items[i].conf->name, name))
			return &sources->items[i];
	return NULL;
}

void source_note(struct source *source, char why[SOURCE_WHY_MAX], const struct mx_error *err)
{
	bool worked, works = !err;

	pthread_mutex_lock(&source->lock);
	worked = !*why;
	snprintf(why, SOURCE_WHY_MAX, "%s", err ? err->text : "");
	pthread_mutex_unlock(&source->lock);
	if (err)
		mx_metric_add(source->failed, 1);
	if (worked && !works)
		mx_log(MX_LOG_WARN, "a source of bindings fails; answers are given without it",
		       "source", source->conf->name, "why", err->text, NULL);
	if (works && !worked)
		mx_log(MX_LOG_INFO, "a source of bindings works again", "source",
		       source->conf->name, NULL);
}

/* ---- asking */

/* As many as there are connections, and as many again that wait for one: what a source that hangs
 * can hold up has an end. */
static bool enter(struct source *source, int64_t until_mono_ms)
{
	unsigned places = source->conf->connections;
	struct timespec until = mx_after_us((until_mono_ms - mx_mono_ms()) * 1000);
	bool may = source->waiting < places;
	int rc = 0;

	source->waiting += may;
	while (may && source->busy >= places && rc == 0 && !source->sources->stopping)
		rc = pthread_cond_timedwait(&source->change, &source->lock, &until);
	source->waiting -= may;
	may = may && source->busy < places && !source->sources->stopping;
	source->busy += may;
	return may;
}

/* After its rest one asker finds out whether it is well again; the others do without it. */
static bool is_resting(struct source *source, int64_t now_ms)
{
	if (source->failures == 0)
		return false;
	if (now_ms < source->rest_until_mono_ms)
		return true;
	source->rest_until_mono_ms = now_ms + source->conf->timeout_ms;
	return false;
}

static bool begin_asking(struct source *source, int64_t until_mono_ms)
{
	bool may;

	pthread_mutex_lock(&source->lock);
	may = !is_resting(source, mx_mono_ms()) && enter(source, until_mono_ms);
	pthread_mutex_unlock(&source->lock);
	mx_metric_add(may ? source->asked : source->left_out, 1);
	return may;
}

static int64_t rest_ms(unsigned failures)
{
	return failures < 6 ? REST_FIRST_MS << failures : REST_MAX_MS;
}

static void end_asking(struct source *source, int rc)
{
	pthread_mutex_lock(&source->lock);
	source->busy--;
	if (rc)
		source->rest_until_mono_ms = mx_mono_ms() + rest_ms(source->failures++);
	else
		source->failures = 0;
	pthread_cond_signal(&source->change);
	pthread_mutex_unlock(&source->lock);
}

static int ask_in_parts(const struct source *source, const struct source_question *question,
			struct mx_error *err)
{
	size_t most = source->kind->ask_once;
	struct source_question part = *question;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < question->len; i += most) {
		part.threepids = question->threepids + i;
		part.users = question->users + i;
		part.len = question->len - i < most ? question->len - i : most;
		rc = source->kind->ask(source->state, &part, err);
	}
	return rc;
}

static void ask_one(struct source *source, struct source_question *question)
{
	struct mx_error err = { 0 };
	int rc;

	question->until_mono_ms = mx_mono_ms() + source->conf->timeout_ms;
	if (!begin_asking(source, question->until_mono_ms))
		return;
	rc = ask_in_parts(source, question, &err);
	end_asking(source, rc);
	source_note(source, source->asking_why, rc ? &err : NULL);
}

bool sources_are_asked(const struct sources *sources)
{
	for (size_t i = 0; sources && i < sources->len; i++)
		if (*sources->items[i].conf->live)
			return true;
	return false;
}

/* Kinds leave alone what has a user already, so the first one wins. */
void sources_ask(struct sources *sources, const struct threepid *threepids, size_t len,
		 struct mx_arena *mem, const char **users)
{
	struct source_question question = {
		.threepids = threepids,
		.len = len < SOURCES_ASKED ? len : SOURCES_ASKED,
		.mem = mem,
		.users = users,
	};

	for (size_t i = 0; sources && question.len > 0 && i < sources->len; i++)
		if (*sources->items[i].conf->live)
			ask_one(&sources->items[i], &question);
}

/* ---- readiness */

const char *sources_why_not(struct sources *sources)
{
	static _Thread_local char text[SOURCE_WHY_MAX + SOURCE_NAME_MAX + 4];
	bool fails = false;

	for (size_t i = 0; sources && !fails && i < sources->len; i++) {
		struct source *source = &sources->items[i];

		pthread_mutex_lock(&source->lock);
		fails = *source->asking_why || *source->reading_why;
		if (fails)
			snprintf(text, sizeof(text), "%s: %s", source->conf->name,
				 *source->reading_why ? source->reading_why : source->asking_why);
		pthread_mutex_unlock(&source->lock);
	}
	return fails ? text : NULL;
}
