/* Whole answers for one server, made once and kept with its entry: the hot path. */
#pragma once

#include "shared/core/slice.h"

struct notary;
struct reply_body;

/*
 * The answer to GET /query/{server} if it is warm: in memory and valid now. A reference for the
 * caller, or NULL: then the question goes through query.h. Any thread, no I/O.
 */
struct reply_body *warm_answer(struct notary *notary, struct mx_slice server);

/* For key_history_conf.prepared_free. */
void warm_free(void *prepared);
