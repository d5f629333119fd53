/* Kinds of directories: a table with a row for each. */
#pragma once

#include "identity/source/source_conf.h"
#include "shared/threepid/threepid.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mx_arena;
struct mx_error;

/* Whose are these addresses? */
struct source_question {
	const struct threepid *threepids;
	size_t len;
	int64_t until_mono_ms; /* the answer counts no more then */
	struct mx_arena *mem;
	const char **users; /* [len], filled where somebody is known; in mem */
};

/* Somebody is known as user_id, which is the question's memory's. A directory's idea of "equal" is
 * not ours, and what was not asked for is not believed: only what folds to an address of the
 * question counts. */
void source_answer(const struct source_question *question, const struct threepid *as_written,
		   const char *user_id);

/* One reading of a whole directory, or of what changed. */
struct source_reading {
	const char *since; /* "" = all */
	/* Of every address. False: it is enough. */
	bool (*visit)(void *ctx, const struct threepid *as_written, const char *user_id);
	void *ctx;
	const _Atomic bool *stop; /* the daemon is stopping: give up */
	char newest[64]; /* `since` of the next reading; "" if the directory has no such thing */
	size_t skipped; /* entries that name no user */
};

struct source_setup {
	const struct source_conf *conf;
	const char *secret; /* NULL: without a password */
	const char *ca_file; /* NULL: the system's */
	const char *dns_servers; /* NULL: the system's */
};

struct source_kind {
	/* No network. *ret_state is the kind's own; the setup stays until it is closed. */
	int (*open)(const struct source_setup *setup, void **ret_state, struct mx_error *err);
	void (*close)(void *state);
	size_t ask_once; /* addresses of one question */
	/* Several threads at once. Waits until question->until_mono_ms at most. */
	int (*ask)(void *state, const struct source_question *question, struct mx_error *err);
	/* One thread. NULL: this kind cannot be read. */
	int (*read)(void *state, struct source_reading *reading, struct mx_error *err);
};

extern const struct source_kind source_ldap, source_http;
