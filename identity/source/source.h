/* Other directories that know who is who: read and asked, never written. Our own bindings win. */
#pragma once

#include "shared/threepid/threepid.h"

#include <stdbool.h>
#include <stddef.h>

struct mx_arena;
struct mx_error;
struct mx_metrics;
struct source_conf;
struct sources;
struct store;

struct sources_conf {
	const struct source_conf *items; /* like all of this, it stays */
	unsigned len;
	const char *ca_file, *dns_servers; /* of `outbound`; may be NULL */
	struct store *store;
	struct mx_metrics *metrics;
};

/* Reads passwords, forgets what directories listed that are no longer there. No network. */
int sources_new(const struct sources_conf *conf, struct sources **ret_sources,
		struct mx_error *err);
void sources_free(struct sources *sources);
/* Reads directories in the background until stopped. NULL does nothing. */
void sources_start(struct sources *sources);
void sources_stop(struct sources *sources);

/* Whether there is any that sources_ask() asks. NULL: there is none. */
bool sources_are_asked(const struct sources *sources);

/*
 * LANE_NET: waits, but never for long: at most SOURCES_ASKED addresses are asked for, each source
 * has its time, and one that failed is left alone for a while. users[i] (zeroed by the caller) is
 * the user of threepids[i] where a source knows one; in mem. The first source that does wins.
 */
#define SOURCES_ASKED 500
void sources_ask(struct sources *sources, const struct threepid *threepids, size_t len,
		 struct mx_arena *mem, const char **users);

/* For readiness, as a warning: which source fails, and why; NULL if none does. The text is good
 * until the thread asks again. */
const char *sources_why_not(struct sources *sources);
