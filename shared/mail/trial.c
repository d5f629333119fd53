#include "shared/mail/trial.h"

#include "shared/core/error.h"
#include "shared/core/time.h"
#include "shared/http/request.h"
#include "shared/json/json.h"
#include "shared/mail/address.h"
#include "shared/mail/letter.h"
#include "shared/mail/mailer.h"
#include "shared/mail/smtp_trace.h"

json_t *trial_step(const char *name, bool ok, const char *words)
{
	return json_pack("{s:s, s:b, s:s}", "step", name, "ok", ok, "words", words);
}

static const char *result_name(enum outbox_result result)
{
	switch (result) {
	case OUTBOX_SENT: return "sent";
	case OUTBOX_AGAIN: return "again";
	case OUTBOX_REFUSED: return "refused";
	case OUTBOX_UNSURE: return "unsure";
	case OUTBOX_EXPIRED:
	case OUTBOX_WITHDRAWN: break;
	}
	return "not sent";
}

void trial_reply(struct req *r, enum outbox_result result, json_t *steps,
		 const struct mx_error *why)
{
	reply_json(r, json_pack("{s:s, s:s, s:o}", "result", result_name(result), "why",
				result == OUTBOX_SENT ? "" : why->text, "steps", steps));
}

/* ---- mail */

/* Of smtp.h, behind what was done before. */
static void add_trace(json_t *steps, const struct smtp_trace *trace)
{
	json_t *rest = smtp_trace_json(trace);

	json_array_extend(steps, rest);
	json_decref(rest);
}

static enum outbox_result send_letter(const struct mail_trial *trial, struct letter *letter,
				      const struct mail_address *to, json_t *steps)
{
	static const struct template_values none = { 0 };
	struct smtp_trace trace = { 0 };
	enum outbox_result result;
	struct letter_mail mail;

	if (trial->may_write && !trial->may_write(trial->ctx, to, steps)) {
		mx_fail(letter->err, MX_FORBIDDEN, "nothing is sent to this address");
		return OUTBOX_REFUSED;
	}
	if (letter_write(letter, &none, to, &mail))
		return OUTBOX_REFUSED;
	result = mailer_send(trial->mailer, to, &mail.mail, &trace, letter->err);
	eml_done(&mail.eml);
	add_trace(steps, &trace);
	return result;
}

int mail_trial(struct req *r, const struct mail_trial *trial)
{
	static const struct letter_style style = { 0 };
	struct mx_error why = { 0 };
	struct letter letter = {
		.head = trial->head,
		.style = &style,
		.name = TRIAL_LETTER,
		.mem = r->mem,
		.now_ms = mx_now_ms(),
		.err = &why,
	};
	struct mail_address to;
	json_t *steps;
	int rc;

	if (!trial->mailer)
		return mx_fail(&r->err, MX_NOT_FOUND, "mail.relay is not set: no mail is sent");
	rc = mail_address_parse(jslice(r->body, "address"), &to, &r->err);
	if (rc)
		return rc;
	steps = json_pack("[o]", trial_step("address", true, to.domain));
	trial_reply(r, send_letter(trial, &letter, &to, steps), steps, &why);
	mail_address_done(&to);
	return 0;
}
