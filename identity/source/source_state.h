/* What the files of sources share. */
#pragma once

#include "identity/source/source.h"
#include "identity/source/source_kind.h"

#include <pthread.h>
#include <stdatomic.h>

struct mx_metric;

#define SOURCE_WHY_MAX 256

struct source {
	struct sources *sources;
	unsigned place; /* in the configuration: earlier ones win */
	const struct source_conf *conf;
	const struct source_kind *kind;
	struct source_setup setup;
	char *secret;
	void *state; /* the kind's */

	pthread_mutex_t lock; /* of what follows; innermost */
	pthread_cond_t change; /* a place is free, or the source is stopped */
	unsigned busy, waiting; /* askers */
	unsigned failures; /* in a row, of asking */
	int64_t rest_until_mono_ms; /* left alone till then */
	char asking_why[SOURCE_WHY_MAX], reading_why[SOURCE_WHY_MAX]; /* "": it works */

	bool running;
	pthread_t thread; /* that reads */
	char since[64]; /* of its thread: "" = all */
	int64_t full_mono_ms; /* the last whole reading */
	unsigned read_failures;

	struct mx_metric *asked, *failed, *left_out, *listed;
};

struct sources {
	struct sources_conf conf;
	atomic_bool stopping;
	size_t len;
	struct source items[SOURCES_MAX];
};

/* The source of that name, or NULL. */
struct source *source_find(struct sources *sources, const char *name);

/* What is wrong with it, NULL: nothing is. Logs when that changes. */
void source_note(struct source *source, char why[SOURCE_WHY_MAX], const struct mx_error *err);

/* Reads all, or what changed, and keeps what is listed in step. */
int source_read(struct source *source, struct mx_error *err);
/* The thread that does so in time. */
void *source_reader(void *source);
/* Deletes what sources list that are not in the configuration, or are no longer read. */
int source_forget_others(struct sources *sources, struct mx_error *err);
