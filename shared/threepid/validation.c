#include "shared/threepid/validation.h"

#include "shared/core/error.h"
#include "shared/core/metrics.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/outbox/outbox.h"
#include "shared/store/store.h"
#include "shared/threepid/allowance.h"

#define CONFLICTS_MAX 5

static struct claim_call begin(const struct validator *validator, struct mx_arena *mem)
{
	return (struct claim_call){
		.outbox = validator->outbox,
		.txn = store_txn_begin(validator->store),
		.mem = mem,
		.now_ms = mx_now_ms(),
	};
}

/* Commits if rc is 0; -MX_CONFLICT means once more from the beginning. */
static int end(const struct claim_call *call, int rc, struct mx_error *err)
{
	if (rc == 0)
		return store_txn_commit(call->txn, err);
	store_txn_abort(call->txn);
	return rc;
}

static void count(struct mx_metric *const counters[2], const char *medium)
{
	struct mx_metric *counter = counters[streq(medium, "email") ? 0 : 1];

	if (counter)
		mx_metric_add(counter, 1);
}

/* ---- beginning */

/* One request, over all its runs. */
struct course {
	const struct validator *validator;
	const struct validation_request *request;
	struct allowance allowance;
	bool paid;
	struct mx_error *err;
};

static int pay(struct course *course)
{
	const struct validation_request *request = course->request;
	int rc;

	if (course->paid)
		return 0;
	rc = request->channel->allow(course->validator->app, request, &course->allowance,
				     course->err);
	if (rc == 0)
		rc = allowance_take(&course->allowance, course->validator->budgets, course->err);
	course->paid = rc == 0;
	return rc;
}

static int run(struct course *course, const struct claim_call *call,
	       struct validation *ret_validation)
{
	const struct validation_request *request = course->request;
	struct claim session;
	const struct validation_send send = { request, &session };
	uint64_t message = 0;
	bool must_send;
	int rc = claim_open(call, &request->session, &session, &must_send, course->err);

	if (rc == 0 && must_send)
		rc = pay(course);
	if (rc == 0 && must_send)
		rc = request->channel->send(course->validator->app, call, &send, &message,
					    course->err);
	if (rc)
		return rc;
	if (must_send)
		claim_sent(call, &session, request->session.send_attempt, message);
	*ret_validation = (struct validation){ session.id, message };
	return 0;
}

int validation_begin(const struct validator *validator, const struct validation_request *request,
		     struct mx_arena *mem, struct validation *ret_validation, struct mx_error *err)
{
	struct course course = { .validator = validator, .request = request, .err = err };
	int rc = -MX_CONFLICT;

	for (int i = 0; i < CONFLICTS_MAX && rc == -MX_CONFLICT; i++) {
		const struct claim_call call = begin(validator, mem);

		rc = end(&call, run(&course, &call, ret_validation), err);
	}
	/* An address that gets nothing costs what one costs whose messages are refused later. */
	if (course.paid && rc != -(int)request->channel->lost && (rc || !ret_validation->message))
		allowance_give(&course.allowance, validator->budgets);
	if (rc == 0)
		count(validator->begun, request->channel->medium);
	return rc == -MX_CONFLICT ? mx_fail(err, MX_BUSY, "Too many requests at once") : rc;
}

/* ---- waiting */

bool validation_is_open(const struct validator *validator, uint64_t message)
{
	struct outbox_report report = { 0 };

	outbox_look(validator->outbox, message, &report);
	return report.attempts == 0 &&
	       (report.stage == OUTBOX_WAITING || report.stage == OUTBOX_SENDING);
}

static bool is_given_up(const struct outbox_report *report)
{
	return report->stage == OUTBOX_ENDED && report->result != OUTBOX_SENT &&
	       report->result != OUTBOX_UNSURE;
}

bool validation_is_lost(const struct validator *validator, const char *id, uint64_t message,
			struct mx_arena *mem)
{
	struct outbox_report report = { 0 };
	int rc = -MX_CONFLICT;

	outbox_look(validator->outbox, message, &report);
	if (!is_given_up(&report))
		return false;
	for (int i = 0; i < CONFLICTS_MAX && rc == -MX_CONFLICT; i++) {
		const struct claim_call call = begin(validator, mem);

		claim_not_sent(&call, id, message);
		rc = end(&call, 0, NULL);
	}
	return true;
}

/* ---- submitting */

/* Whether there is no such session or the secret is another one is nobody's business; nor is it
 * to be seen by the medium. */
static int find(const struct claim_call *call, const struct validation_proof *proof,
		struct claim *ret_session, struct mx_error *err)
{
	int rc = claim_load(call, proof->id, proof->client_secret, ret_session, err);

	if (rc && rc != -MX_NO_VALID_SESSION)
		return rc;
	if (rc || !streq(ret_session->threepid.medium, proof->medium))
		return mx_fail(err, MX_SESSION_UNKNOWN, "There is no such validation session");
	return 0;
}

static int submit(const struct claim_call *call, const struct validation_proof *proof,
		  struct claim *ret_session, bool *ret_right, struct mx_error *err)
{
	int rc = find(call, proof, ret_session, err);

	return rc ? rc : claim_submit(call, ret_session, proof->token, ret_right, err);
}

int validation_submit(const struct validator *validator, const struct validation_proof *proof,
		      struct mx_arena *mem, struct claim *ret_session, struct mx_error *err)
{
	bool right = false;
	int rc = -MX_CONFLICT;

	for (int i = 0; i < CONFLICTS_MAX && rc == -MX_CONFLICT; i++) {
		const struct claim_call call = begin(validator, mem);

		rc = end(&call, submit(&call, proof, ret_session, &right, err), err);
	}
	if (rc == -MX_CONFLICT)
		return mx_fail(err, MX_BUSY, "Too many requests at once");
	if (rc == 0 && !right)
		return mx_fail(err, MX_TOKEN_INCORRECT, "The token is not right");
	if (rc == 0)
		count(validator->validated, proof->medium);
	return rc;
}
