/* What a request keeps over its runs: several things, each known by what frees it. For requests
 * whose r->kept is nobody else's. */
#pragma once

struct req;

typedef void kept_free_fn(void *thing);

/* NULL if it keeps no such thing. */
void *kept_find(const struct req *r, kept_free_fn *free);
/* Until kept_drop(), or the end of the request. */
void kept_add(struct req *r, void *thing, kept_free_fn *free);
void kept_drop(struct req *r, kept_free_fn *free);
