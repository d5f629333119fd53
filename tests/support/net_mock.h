/* A network that tests play, for programs with the line wrap: net_start net_fetch. */
#pragma once

#include "shared/core/slice.h"
#include "shared/net/net.h"

/* What was asked; copies, good until the answer. */
struct net_mock_request {
	char method[8], server[256], target[256], url[1024];
	const char *const *headers; /* only for the handler; may be NULL */
	struct mx_slice body;
};

struct net_mock_answer {
	int rc, status;
	bool sent;
	int64_t retry_after_ms;
	struct mx_slice body;
	const char *address, *certificate; /* NULL = "" */
	int64_t took_ms;
};

/* Forgets everything and everybody. */
void net_mock_reset(void);

/* Answers all requests at once, on the asker's thread. Without it net_start() requests wait for
 * net_mock_reply(), and net_fetch() is not answered (-MX_REMOTE_FAILED). */
typedef struct net_mock_answer net_mock_fn(void *ctx, const struct net_mock_request *request);
void net_mock_handle(net_mock_fn *handler, void *ctx);

/* Requests so far; requests that wait. */
size_t net_mock_asked(void);
size_t net_mock_waiting(void);

/* Answers the oldest waiting request to server; false if there is none. */
bool net_mock_reply(const char *server, const struct net_mock_answer *answer);

/* Ends all that wait, as a network does that is stopped. */
void net_mock_stop(void);
