/* A running daemon, as the files of this folder see it. */
#pragma once

#include "shared/core/vec.h"
#include "shared/daemon/daemon.h"
#include "shared/daemon/paths.h"

#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>

struct conf;
struct mx_arena;
struct mx_tls;

enum daemon_phase { PHASE_STARTING, PHASE_READY, PHASE_STOPPING };

/* One that was replaced, and when: what began before may still read it. */
struct retired_conf {
	struct conf *conf;
	int64_t since_ms; /* monotonic */
};

struct daemon {
	const struct daemon_app *app;
	struct mx_arena *mem; /* what lives as long as the daemon */
	pthread_mutex_t reload_lock; /* for conf; held during a reload */
	struct conf *conf;
	struct conf *first_conf; /* what start() was given: kept until the end */
	struct mx_vec(struct retired_conf) retired; /* replaced within the last hour */
	struct daemon_paths paths;
	int data_lock; /* file descriptor */
	struct mx_metrics *metrics;
	struct store *store;
	struct net *net;
	struct mx_tls *tls;
	uint64_t tls_stamp; /* of the certificate files last looked at */
	struct http_server *server, *admin;
	struct http_limit limits[LIMIT_COUNT];
	int (*authenticate)(struct req *r);
	int (*pass)(struct req *r);
	struct daemon_tree tree; /* name NULL: there is none */
	char *spool_directory; /* in mem; NULL: bodies stay in memory */
	uint64_t (*spool_max)(void *ctx);
	const char *(*admin_contact)(struct req *r);
	const struct route *const *routes; /* public; the app's until it says otherwise */
	void *ctx; /* the app's */
	bool app_started;
	int64_t started_ms, started_mono_ms;
	_Atomic int phase; /* enum daemon_phase */
	bool seccomp; /* in force */
	int landlock; /* its ABI, 0 = not in force */
};

/* ---- run.c */

/* The whole life of the daemon; takes conf over. The exit status. */
int daemon_run(const struct daemon_app *app, struct conf *conf);

/* ---- reload.c */

/* Whole or not at all; any thread. */
int daemon_reload(struct daemon *daemon, struct mx_error *err);

/* ---- certificate.c: of the listeners with TLS; nothing happens where there are none */

int certificate_load(struct daemon *daemon, struct mx_error *err);
/* The reload lock is held. On failure the old one stays in use. */
int certificate_reload(struct daemon *daemon, struct mx_error *err);
/* Now and then: takes over files that changed. */
void certificate_watch(struct daemon *daemon);
void certificate_free(struct daemon *daemon);

/* ---- listeners.c */

int listeners_start(struct daemon *daemon, struct mx_error *err);
/* Public ones first: readiness is still answered while they drain. */
void listeners_stop(struct daemon *daemon);

/* ---- privileges.c */

/* Before anything else: file modes, core dumps, limits. */
void privileges_limit(void);
/* Makes the data directory if need be and locks it against a second daemon: *ret_lock is a file
 * descriptor. -MX_BUSY if it is in use. */
int data_directory_lock(const char *path, int *ret_lock, struct mx_error *err);
/* The same, for the daemon: its owner has to be the right one. */
int data_directory_take(const char *path, int *ret_lock, struct mx_error *err);

/* ---- sandbox.c: before the first thread. Fills seccomp and landlock. */
void sandbox_enter(struct daemon *daemon);

/* ---- signals.c */

/* Before the first thread. */
void signals_block(void);
/* Returns when the daemon shall stop. */
void signals_serve(struct daemon *daemon);
/* From here the process has this long, then it ends the hard way. */
void signals_deadline(unsigned seconds);

/* ---- health.c: members of the answers */

/* {"ready": …, "reasons": [{"name", "why", "warning"}]} */
json_t *health_report(struct daemon *daemon, bool *ret_ready);

/* ---- backup.c */

/* Store, signing keys and configuration into a new or empty directory. destination: where it
 * will be moved to, for the log; may be NULL. */
int backup_take(struct daemon *daemon, const char *to, const char *destination,
		struct mx_error *err);
/* A name in the data directory for a backup on its way to another place; mx_free. */
char *backup_stage(const char *data_directory);
/* Removes what interrupted backups left there. The data directory is locked. */
void backup_clear(const char *data_directory);
