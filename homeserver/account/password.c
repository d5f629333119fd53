#include "homeserver/account/password.h"

#include "homeserver/account/account_conf.h"
#include "homeserver/hs.h"
#include "homeserver/hs_conf.h"
#include "homeserver/kept.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/metrics.h"
#include "shared/core/str.h"
#include "shared/core/thread.h"
#include "shared/core/time.h"
#include "shared/core/utf8.h"
#include "shared/http/request.h"

#include <sodium.h>
#include <stdatomic.h>
#include <unistd.h>

#define WAITING_MAX  200 /* jobs; at 20 ms each nobody wants to be later */
#define RETRY_MS     1000
#define PARK_MS      (30 * MX_SECOND_MS)
#define AT_ONCE_MOST 4
#define THREADS_MAX  64

_Static_assert(PASSWORD_HASH_MAX >= crypto_pwhash_STRBYTES, "the text form fits");

/* One password to hash, or to hold against a hash. Of its request, and of a worker. */
struct job {
	struct passwords *passwords;
	struct req_wake *wake;
	char *password, *hash; /* hash: to hold it against; NULL with verify: a dummy */
	bool verify;
	bool right;
	char made[PASSWORD_HASH_MAX]; /* "": none */
	bool done; /* under the lock, like refs */
	unsigned refs;
	struct job *next; /* in the queue */
	struct job *after; /* of the same request */
};

struct passwords {
	_Atomic unsigned memory_kib, passes;
	char dummy[PASSWORD_HASH_MAX];
	pthread_mutex_t lock;
	pthread_cond_t arrived;
	struct job *first, *last;
	unsigned waiting;
	bool stopping;
	pthread_t threads[THREADS_MAX];
	unsigned threads_len;
	struct mx_metric *computed;
};

/* ---- computing */

static void compute_hash(struct passwords *passwords, const char *password,
			 char ret_hash[PASSWORD_HASH_MAX])
{
	/* It only fails for want of memory. */
	if (crypto_pwhash_str_alg(ret_hash, password, strlen(password), passwords->passes,
				  (size_t)passwords->memory_kib * 1024,
				  crypto_pwhash_ALG_ARGON2ID13))
		abort();
}

static bool is_old(struct passwords *passwords, const char *hash)
{
	return crypto_pwhash_str_needs_rehash(hash, passwords->passes,
					      (size_t)passwords->memory_kib * 1024) != 0;
}

static void compute(struct job *job)
{
	struct passwords *passwords = job->passwords;
	const char *hash = job->hash ? job->hash : passwords->dummy;
	bool right;

	if (!job->verify) {
		compute_hash(passwords, job->password, job->made);
		return;
	}
	right = crypto_pwhash_str_verify(hash, job->password, strlen(job->password)) == 0;
	job->right = right && job->hash;
	if (job->right && is_old(passwords, hash))
		compute_hash(passwords, job->password, job->made);
}

static void job_free(struct job *job)
{
	sodium_memzero(job->password, strlen(job->password));
	mx_free(job->password);
	mx_free(job->hash);
	req_wake_unref(job->wake);
	sodium_memzero(job, sizeof(*job));
	mx_free(job);
}

static void job_unref(void *ptr)
{
	struct job *job = ptr;
	struct passwords *passwords = job->passwords;
	unsigned left;

	pthread_mutex_lock(&passwords->lock);
	left = --job->refs;
	pthread_mutex_unlock(&passwords->lock);
	if (left == 0)
		job_free(job);
}

/* NULL when it is time to stop. */
static struct job *take(struct passwords *passwords, bool *ret_wanted)
{
	struct job *job;

	pthread_mutex_lock(&passwords->lock);
	while (!passwords->first && !passwords->stopping)
		pthread_cond_wait(&passwords->arrived, &passwords->lock);
	job = passwords->first;
	if (job) {
		passwords->first = job->next;
		passwords->waiting--;
		*ret_wanted = job->refs > 1; /* else its request has gone */
	}
	pthread_mutex_unlock(&passwords->lock);
	return job;
}

static void *worker(void *ctx)
{
	struct passwords *passwords = ctx;
	struct job *job;
	bool wanted;

	while ((job = take(passwords, &wanted))) {
		if (wanted)
			compute(job);
		mx_metric_add(passwords->computed, 1);
		pthread_mutex_lock(&passwords->lock);
		job->done = true;
		pthread_mutex_unlock(&passwords->lock);
		req_wake(job->wake);
		job_unref(job);
	}
	return NULL;
}

/* ---- life */

static unsigned threads_of(const struct password_conf *conf)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (conf->at_once)
		return conf->at_once < THREADS_MAX ? conf->at_once : THREADS_MAX;
	if (cores < 1)
		return 1;
	return cores < AT_ONCE_MOST ? (unsigned)cores : AT_ONCE_MOST;
}

void passwords_set(struct passwords *passwords, const struct password_conf *conf)
{
	passwords->memory_kib = conf->memory_kib;
	passwords->passes = conf->passes;
}

struct passwords *passwords_new(const struct password_conf *conf, struct mx_metrics *metrics)
{
	struct passwords *passwords = mx_calloc(1, sizeof(*passwords));

	passwords_set(passwords, conf);
	compute_hash(passwords, "nobody's", passwords->dummy);
	pthread_mutex_init(&passwords->lock, NULL);
	mx_cond_init(&passwords->arrived);
	if (metrics)
		passwords->computed = mx_counter_new(metrics, "homeserver_passwords_total",
						     "Passwords hashed or checked", "");
	for (unsigned len = threads_of(conf); passwords->threads_len < len;)
		passwords->threads[passwords->threads_len++] = mx_thread_start("password", worker,
									       passwords);
	return passwords;
}

void passwords_free(struct passwords *passwords)
{
	if (!passwords)
		return;
	pthread_mutex_lock(&passwords->lock);
	passwords->stopping = true;
	pthread_cond_broadcast(&passwords->arrived);
	pthread_mutex_unlock(&passwords->lock);
	for (unsigned i = 0; i < passwords->threads_len; i++)
		pthread_join(passwords->threads[i], NULL);
	pthread_cond_destroy(&passwords->arrived);
	pthread_mutex_destroy(&passwords->lock);
	mx_free(passwords);
}

/* ---- asking */

static bool push(struct passwords *passwords, struct job *job)
{
	bool room;

	pthread_mutex_lock(&passwords->lock);
	room = passwords->waiting < WAITING_MAX;
	if (room) {
		job->refs = 2;
		if (passwords->first)
			passwords->last->next = job;
		else
			passwords->first = job;
		passwords->last = job;
		passwords->waiting++;
		pthread_cond_signal(&passwords->arrived);
	}
	pthread_mutex_unlock(&passwords->lock);
	return room;
}

/* What a request asked for so far: it is run again from its start after each wait. */
struct asked {
	struct job *first;
};

static void asked_free(void *ptr)
{
	struct asked *asked = ptr;

	while (asked->first) {
		struct job *job = asked->first;

		asked->first = job->after;
		job_unref(job);
	}
	mx_free(asked);
}

static struct asked *asked_of(struct req *r)
{
	struct asked *asked = kept_find(r, asked_free);

	if (!asked) {
		asked = mx_calloc(1, sizeof(*asked));
		kept_add(r, asked, asked_free);
	}
	return asked;
}

void password_forget(struct req *r)
{
	kept_drop(r, asked_free);
}

static int begin(struct req *r, const struct job *wanted)
{
	struct hs *hs = r->app;
	struct asked *asked = asked_of(r);
	struct job *job = mx_memdup(wanted, sizeof(*wanted));

	job->passwords = hs->passwords;
	job->password = mx_strdup(wanted->password);
	job->hash = wanted->hash ? mx_strdup(wanted->hash) : NULL;
	job->wake = req_wake_new(r, PARK_MS);
	if (!push(hs->passwords, job)) {
		job_free(job);
		r->err.retry_after_ms = RETRY_MS;
		return -MX_LIMIT_EXCEEDED;
	}
	job->after = asked->first;
	asked->first = job;
	return -MX_PARK;
}

static bool is_about(const struct job *job, const struct job *wanted)
{
	return job->verify == wanted->verify && streq(job->password, wanted->password) &&
	       (streq(job->hash, wanted->hash) || (!job->hash && !wanted->hash));
}

static bool is_done(struct job *job)
{
	bool done;

	pthread_mutex_lock(&job->passwords->lock);
	done = job->done;
	pthread_mutex_unlock(&job->passwords->lock);
	return done;
}

/* 0: it is done. */
static int have(struct req *r, const struct job *wanted, const struct job **ret_job)
{
	struct job *job = asked_of(r)->first;

	while (job && !is_about(job, wanted))
		job = job->after;
	if (!job)
		return begin(r, wanted);
	if (!is_done(job))
		return r->timed_out ? -MX_BUSY : -MX_PARK;
	*ret_job = job;
	return 0;
}

int password_hash(struct req *r, const char *password, const char **ret_hash)
{
	const struct job wanted = { .password = (char *)password };
	const struct job *job;
	int rc = have(r, &wanted, &job);

	if (rc == 0)
		*ret_hash = mx_arena_strdup(r->mem, job->made);
	return rc;
}

int password_verify(struct req *r, const char *password, const char *hash,
		    struct password_verdict *ret_verdict)
{
	const struct job wanted = {
		.password = (char *)password,
		.hash = (char *)hash,
		.verify = true,
	};
	const struct job *job;
	int rc = have(r, &wanted, &job);

	if (rc)
		return rc;
	*ret_verdict = (struct password_verdict){ .right = job->right };
	if (*job->made)
		ret_verdict->better = mx_arena_strdup(r->mem, job->made);
	return 0;
}

int password_check_new(struct req *r, const char *password)
{
	unsigned least = conf_of(r->app)->password.length_min;

	if (strlen(password) > PASSWORD_MAX)
		return mx_fail(&r->err, MX_INVALID_PARAM, "A password has at most %d bytes",
			       PASSWORD_MAX);
	if (mx_utf8_count(mx_slice(password)) < least)
		return mx_fail(&r->err, MX_WEAK_PASSWORD, "A password needs at least %u characters",
			       least);
	return 0;
}
