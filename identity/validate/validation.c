#include "identity/validate/validation.h"

#include "identity/identity.h"
#include "identity/validate/allowance.h"
#include "shared/core/error.h"
#include "shared/core/metrics.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/outbox/outbox.h"
#include "shared/store/store.h"

#define CONFLICTS_MAX 5

static struct identity_call begin(struct identity *identity, struct mx_arena *mem)
{
	return (struct identity_call){
		.identity = identity,
		.txn = store_txn_begin(identity->store),
		.mem = mem,
		.now_ms = mx_now_ms(),
	};
}

/* Commits if rc is 0; -MX_CONFLICT means once more from the beginning. */
static int end(const struct identity_call *call, int rc, struct mx_error *err)
{
	if (rc == 0)
		return store_txn_commit(call->txn, err);
	store_txn_abort(call->txn);
	return rc;
}

/* Of the counters of identity.h. */
static int medium_index(const char *medium)
{
	return streq(medium, "email") ? 0 : 1;
}

/* ---- beginning */

/* One request, over all its runs. */
struct course {
	struct identity *identity;
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
	rc = request->channel->allow(course->identity, request, &course->allowance, course->err);
	if (rc == 0)
		rc = allowance_take(&course->allowance, course->identity->budgets, course->err);
	course->paid = rc == 0;
	return rc;
}

static int run(struct course *course, const struct identity_call *call,
	       struct validation *ret_validation)
{
	const struct validation_request *request = course->request;
	struct session session;
	uint64_t message = 0;
	bool must_send;
	int rc = session_open(call, &request->session, &session, &must_send, course->err);

	if (rc == 0 && must_send)
		rc = pay(course);
	if (rc == 0 && must_send)
		rc = request->channel->send(call, request, &session, &message, course->err);
	if (rc)
		return rc;
	if (must_send)
		session_sent(call, &session, request->session.send_attempt, message);
	*ret_validation = (struct validation){ session.id, message };
	return 0;
}

int validation_begin(struct identity *identity, const struct validation_request *request,
		     struct mx_arena *mem, struct validation *ret_validation, struct mx_error *err)
{
	struct course course = { .identity = identity, .request = request, .err = err };
	int rc = -MX_CONFLICT;

	for (int i = 0; i < CONFLICTS_MAX && rc == -MX_CONFLICT; i++) {
		const struct identity_call call = begin(identity, mem);

		rc = end(&call, run(&course, &call, ret_validation), err);
	}
	/* An address that gets nothing costs what one costs whose messages are refused later. */
	if (course.paid && rc != -(int)request->channel->lost && (rc || !ret_validation->message))
		allowance_give(&course.allowance, identity->budgets);
	if (rc == 0)
		mx_metric_add(identity->counters.sessions[medium_index(request->channel->medium)],
			      1);
	return rc == -MX_CONFLICT ? mx_fail(err, MX_BUSY, "Too many requests at once") : rc;
}

/* ---- waiting */

bool validation_is_open(struct identity *identity, uint64_t message)
{
	struct outbox_report report = { 0 };

	outbox_look(identity->outbox, message, &report);
	return report.attempts == 0 &&
	       (report.stage == OUTBOX_WAITING || report.stage == OUTBOX_SENDING);
}

static bool is_given_up(const struct outbox_report *report)
{
	return report->stage == OUTBOX_ENDED && report->result != OUTBOX_SENT &&
	       report->result != OUTBOX_UNSURE;
}

bool validation_is_lost(struct identity *identity, const char *id, uint64_t message,
			struct mx_arena *mem)
{
	struct outbox_report report = { 0 };
	int rc = -MX_CONFLICT;

	outbox_look(identity->outbox, message, &report);
	if (!is_given_up(&report))
		return false;
	for (int i = 0; i < CONFLICTS_MAX && rc == -MX_CONFLICT; i++) {
		const struct identity_call call = begin(identity, mem);

		session_not_sent(&call, id, message);
		rc = end(&call, 0, NULL);
	}
	return true;
}

/* ---- submitting */

/* Whether there is no such session or the secret is another one is nobody's business; nor is it
 * to be seen by the medium. */
static int find(const struct identity_call *call, const struct validation_proof *proof,
		struct session *ret_session, struct mx_error *err)
{
	int rc = session_load(call, proof->id, proof->client_secret, ret_session, err);

	if (rc && rc != -MX_NO_VALID_SESSION)
		return rc;
	if (rc || !streq(ret_session->threepid.medium, proof->medium))
		return mx_fail(err, MX_SESSION_UNKNOWN, "There is no such validation session");
	return 0;
}

static int submit(const struct identity_call *call, const struct validation_proof *proof,
		  struct session *ret_session, bool *ret_right, struct mx_error *err)
{
	int rc = find(call, proof, ret_session, err);

	return rc ? rc : session_submit(call, ret_session, proof->token, ret_right, err);
}

int validation_submit(struct identity *identity, const struct validation_proof *proof,
		      struct mx_arena *mem, struct session *ret_session, struct mx_error *err)
{
	bool right = false;
	int rc = -MX_CONFLICT;

	for (int i = 0; i < CONFLICTS_MAX && rc == -MX_CONFLICT; i++) {
		const struct identity_call call = begin(identity, mem);

		rc = end(&call, submit(&call, proof, ret_session, &right, err), err);
	}
	if (rc == -MX_CONFLICT)
		return mx_fail(err, MX_BUSY, "Too many requests at once");
	if (rc == 0 && !right)
		return mx_fail(err, MX_TOKEN_INCORRECT, "The token is not right");
	if (rc == 0)
		mx_metric_add(identity->counters.validated[medium_index(proof->medium)], 1);
	return rc;
}
