/* Bodies that are too large for memory: those of routes with ROUTE_SPOOL are files. One thread at a
 * time. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct mx_error;
struct spool;

/* ---- for handlers: r->spool */

uint64_t spool_len(const struct spool *spool);
/* To read from, with pread(); the spool's. */
int spool_fd(const struct spool *spool);
/* Makes the bytes durable, and the file `path` of the same file system, in place of one that is
 * there. To be called once; a second time does nothing. -MX_STORE_FULL, -MX_STORE. */
int spool_keep(struct spool *spool, const char *path, struct mx_error *err);

/* ---- for the server */

struct spool_conf {
	const char *directory;
	_Atomic uint64_t *shared; /* counts the bytes of several, so that together… */
	uint64_t shared_max; /* …they stay below this; NULL: they are not counted */
};

/* An empty one. -MX_STORE_FULL, -MX_STORE. */
int spool_new(const struct spool_conf *conf, struct spool **ret_spool, struct mx_error *err);
/* -MX_BUSY over the shared cap; as spool_new(). */
int spool_add(struct spool *spool, const void *bytes, size_t len, struct mx_error *err);
/* The file goes, unless it was kept. NULL does nothing. */
void spool_free(struct spool *spool);

/* Makes the directory if need be, and removes what a crash left there. -MX_STORE. */
int spool_prepare(const char *directory, struct mx_error *err);
