#include "shared/keys/key_answer.h"

#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/log.h"
#include "shared/keys/key_history.h"
#include "shared/keys/key_metrics.h"
#include "shared/net/net.h"

void key_answer_take(struct key_answer *answer, const struct net_response *response)
{
	answer->rc = response->rc;
	answer->err = response->err;
	answer->status = response->status;
	answer->took_ms = response->took_ms;
	snprintf(answer->address, sizeof(answer->address), "%s", response->address);
	snprintf(answer->certificate, sizeof(answer->certificate), "%s",
		 response->certificate_sha256);
	if (response->rc == 0 && response->status == 200)
		mx_str_add_slice(&answer->body, response->body);
}

static enum key_answer_result result_of(int rc)
{
	switch (-rc) {
	case 0: return KEY_ANSWER_OK;
	case MX_REMOTE_TIMEOUT: return KEY_ANSWER_TIMEOUT;
	case MX_ADDRESS_REFUSED: return KEY_ANSWER_ADDRESS;
	case MX_TOO_LARGE: return KEY_ANSWER_TOO_LARGE;
	case MX_BAD_SIGNATURE: return KEY_ANSWER_REFUSED;
	case MX_CONFLICT: return KEY_ANSWER_CONFLICT;
	case MX_BUSY:
	case MX_STORE:
	case MX_STORE_FULL: return KEY_ANSWER_LOCAL;
	default: return KEY_ANSWER_FAILED;
	}
}

bool key_answer_is_ours(int rc)
{
	return result_of(rc) == KEY_ANSWER_LOCAL;
}

static int refuse(const struct key_judge *judge, struct key_answer *answer,
		  enum key_refusal refusal, const struct mx_error *why)
{
	const char *name = key_refusal_name(refusal);

	mx_metric_add(judge->counters->refusals[refusal], 1);
	mx_log(MX_LOG_INFO, "key object refused", "server", judge->server, "reason", name,
	       "details", why->text, NULL);
	return mx_fail(&answer->err, MX_BAD_SIGNATURE, "%s: %.200s", name, why->text);
}

static int record(const struct key_judge *judge, struct key_answer *answer,
		  const struct key_object *object)
{
	const struct key_source source = {
		.source = "origin",
		.address = answer->address,
		.certificate = answer->certificate,
	};
	struct key_recorded recorded;
	int rc = key_history_record(judge->history, object, &source, &recorded, &answer->err);

	if (rc == -MX_BAD_KEY)
		return -MX_BAD_SIGNATURE;
	if (rc)
		return rc;
	if (recorded.conflict)
		return mx_fail(&answer->err, MX_CONFLICT, "A key id reappeared with other bytes");
	return 0;
}

static int check_and_record(const struct key_judge *judge, struct key_answer *answer)
{
	mx_arena_auto *mem = mx_arena_new(8192);
	struct key_object object;
	struct mx_error why = { 0 };
	enum key_refusal refusal;

	if (answer->rc)
		return answer->rc;
	if (answer->status != 200)
		return mx_fail(&answer->err, MX_REMOTE_FAILED, "HTTP status %d", answer->status);
	refusal = key_object_check(mx_str_slice(&answer->body), mx_slice(judge->server),
				   judge->policy, mem, &object, &why);
	if (refusal != KEY_FINE)
		return refuse(judge, answer, refusal, &why);
	return record(judge, answer, &object);
}

int key_answer_judge(const struct key_judge *judge, struct key_answer *answer)
{
	int rc = check_and_record(judge, answer);

	mx_metric_add(judge->counters->results[result_of(rc)], 1);
	mx_metric_observe_us(judge->counters->seconds, answer->took_ms * 1000);
	return rc;
}

void key_answer_counters_init(struct key_answer_counters *counters, const struct key_metrics *under)
{
	static const char *const labels[KEY_ANSWER_RESULTS] = {
		[KEY_ANSWER_OK] = "result=\"ok\"",
		[KEY_ANSWER_FAILED] = "result=\"failed\"",
		[KEY_ANSWER_TIMEOUT] = "result=\"timeout\"",
		[KEY_ANSWER_ADDRESS] = "result=\"address\"",
		[KEY_ANSWER_TOO_LARGE] = "result=\"too_large\"",
		[KEY_ANSWER_REFUSED] = "result=\"refused\"",
		[KEY_ANSWER_CONFLICT] = "result=\"conflict\"",
		[KEY_ANSWER_LOCAL] = "result=\"local\"",
	};

	for (size_t i = 0; i < KEY_ANSWER_RESULTS; i++)
		counters->results[i] = key_counter_new(under, "key_fetches_total",
						       "Servers asked for their keys, by result",
						       labels[i]);
	for (unsigned i = KEY_FINE + 1; i < KEY_REFUSALS; i++) {
		mx_autofree char *label = mx_strf("reason=\"%s\"",
						  key_refusal_name((enum key_refusal)i));

		counters->refusals[i] = key_counter_new(under, "key_objects_refused_total",
							"Fetched key objects refused, by reason",
							label);
	}
	counters->seconds = key_histogram_new(under, "key_fetch_seconds",
					      "Time until an origin answered");
}
