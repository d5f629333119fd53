/* How each stage is done on a page. */
#pragma once

#include <jansson.h>

struct req;
struct template_values;
struct uia_session;

#define FALLBACK_DONE_SCRIPT "/_matrix/static/client/auth-done.js"

struct fallback {
	const char *type; /* of a stage */
	/* The page; message "" or why the last attempt failed. */
	int (*show)(struct req *r, const struct uia_session *session, const char *message);
	/* What a client would send as `auth`, of the form in r->body; owned by the caller. NULL:
	 * the form was only a step on the way. */
	json_t *(*read)(struct req *r, const struct uia_session *session);
};

/* NULL for a stage that has no page. */
const struct fallback *fallback_find(const char *type);

struct fallback_page {
	const char *file;
	const struct template_values *values;
	int status;
	const char *policy; /* what it may load besides, of its Content-Security-Policy; or NULL */
};

int fallback_show(struct req *r, const struct fallback_page *page);
/* The page that tells the client's window that the stage is done. */
int fallback_done(struct req *r);

/* A script of the templates. */
int fallback_script(struct req *r, const char *file);
