/* The media repository: what is uploaded, whose it is, how much of it there may be, and the one way
 * in which it is read. Spec: client-server API, "Content repository". */
#pragma once

#include "homeserver/media/media_db.h"

#include <stdbool.h>
#include <stdint.h>

struct hs;
struct hs_call;
struct media;
struct media_files;
struct mx_error;
struct req_wake;
struct spool;

/* Opens the files. */
int media_new(struct hs *hs, struct media **ret_media, struct mx_error *err);
/* NULL does nothing. */
void media_free(struct media *media);
struct media_files *media_files_of(struct media *media);

/* ---- in: these commit by themselves, and need neither view nor txn of the call */

struct media_upload {
	const char *user;
	const char *id; /* of media_reserve(); NULL: a new one */
	const char *type, *name; /* as the client says; may be NULL */
	struct spool *spool;
};

/* Durable when it returns; the id is in call->mem. -MX_FORBIDDEN over a quota or for somebody
 * else's id, -MX_NOT_FOUND for an id that is not waiting, -MX_MEDIA_THERE for one that has its
 * content, -MX_STORE_FULL. */
int media_upload(const struct hs_call *call, const struct media_upload *upload, const char **ret_id,
		 struct mx_error *err);

/* An id for content that comes later. -MX_LIMIT_EXCEEDED if the user has too many of them. */
int media_reserve(const struct hs_call *call, const char *user, struct media_item *ret_item,
		  struct mx_error *err);

/* -MX_NOT_FOUND. The bytes go if nothing else has the same. */
int media_delete(const struct hs_call *call, const char *origin, const char *id,
		 struct mx_error *err);

/* Nobody gets these bytes any more, whatever id they have, now or later; or again. */
int media_quarantine(const struct hs_call *call, const char *origin, const char *id,
		     bool is_quarantined, struct mx_error *err);

/* ---- out */

/* All reading goes through here. -MX_NOT_FOUND for what is not there, void or in quarantine, and
 * for what no id can be; -MX_NOT_YET_UPLOADED. */
int media_find(const struct hs_call *call, const char *origin, const char *id,
	       struct media_item *ret_item, struct mx_error *err);

/* Waiting for the content of an id: the wake is called when it is there, until media_wait_end(). */
struct media_wait;
struct media_wait *media_wait_begin(struct media *media, const char *id, struct req_wake *wake);
void media_wait_end(void *wait);

/* ---- now and then: chores, whose context is the struct hs */

size_t media_drop_void(void *hs, int64_t now_ms); /* ids that nobody used */
size_t media_sweep(void *hs, int64_t now_ms); /* files that nobody counts */
