/* Other places that know who is who: read-only, asked after our own bindings. */
#pragma once

#include "identity/threepid.h"

#include <stdbool.h>

struct mx_arena;
struct mx_error;
struct net;
struct sources;
struct source_conf; /* source_conf.h: a row of the `sources` section */

int sources_new(const struct source_conf *confs, unsigned len, struct net *net,
		struct sources **ret_sources, struct mx_error *err);
void sources_free(struct sources *sources);
bool sources_none(const struct sources *sources);

/* LANE_NET. ret_users[i] (in mem) is NULL where no source knows threepids[i]. A source that fails
 * is logged, counted and left out. At most 2 s. */
void sources_find(struct sources *sources, const struct threepid *threepids, size_t len,
		  struct mx_arena *mem, const char **ret_users);
