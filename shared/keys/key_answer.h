/* What an origin's answer is worth: checked, recorded, counted. */
#pragma once

#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/keys/key_object.h"

struct key_history;
struct key_metrics;
struct net_response;

/* A net_response that may be kept; the body only of a 200. */
struct key_answer {
	int rc, status;
	struct mx_error err;
	struct mx_str body;
	char address[64], certificate[65];
	int64_t took_ms;
};

void key_answer_take(struct key_answer *answer, const struct net_response *response);

enum key_answer_result {
	KEY_ANSWER_OK,
	KEY_ANSWER_FAILED,
	KEY_ANSWER_TIMEOUT,
	KEY_ANSWER_ADDRESS,
	KEY_ANSWER_TOO_LARGE,
	KEY_ANSWER_REFUSED,
	KEY_ANSWER_CONFLICT,
	KEY_ANSWER_LOCAL,
	KEY_ANSWER_RESULTS
};

struct key_answer_counters {
	struct mx_metric *results[KEY_ANSWER_RESULTS], *refusals[KEY_REFUSALS], *seconds;
};

void key_answer_counters_init(struct key_answer_counters *counters,
			      const struct key_metrics *under);

struct key_judge {
	struct key_history *history;
	struct key_answer_counters *counters;
	const char *server;
	enum key_policy policy;
};

/* Records the object if it is good. The rc of key_fetched_fn; answer->err says more. Verifies
 * and commits: not on the network thread. */
int key_answer_judge(const struct key_judge *judge, struct key_answer *answer);

/* An rc for which the origin is not to blame. */
bool key_answer_is_ours(int rc);
