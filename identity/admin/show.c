#include "identity/admin/show.h"

#include "identity/account/account.h"
#include "identity/audit/audit.h"
#include "identity/binding/binding.h"
#include "identity/binding/listed.h"
#include "identity/identity.h"
#include "identity/invite/invite.h"
#include "identity/invite/invite_rules.h"
#include "identity/suppress/suppression.h"
#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/outbox/outbox.h"
#include "shared/threepid/claim.h"

#include <inttypes.h>

/* Members that are not known are left out. */
static void put_time(json_t *object, const char *name, int64_t time_ms)
{
	if (time_ms > 0)
		json_object_set_new(object, name, json_integer(time_ms));
}

static void put_text(json_t *object, const char *name, const char *text)
{
	if (text && *text)
		json_object_set_new(object, name, json_string(text));
}

json_t *show_threepid(const struct threepid *threepid)
{
	return json_pack("{s:s, s:s}", "medium", threepid->medium, "address", threepid->address);
}

json_t *show_binding(const struct binding *binding)
{
	json_t *shown = show_threepid(&binding->threepid);
	/* as we or a peer wrote it, and checked then */
	json_t *association = json_loadb(binding->signed_json.ptr, binding->signed_json.len, 0,
					 NULL);

	json_object_update_new(shown, json_pack("{s:s?, s:I, s:s, s:b, s:o*}", "user_id",
						binding->user_id, "ts", (json_int_t)binding->ts_ms,
						"origin", binding->origin, "ours", binding->ours,
						"association", association));
	return shown;
}

json_t *show_listed(const struct listed *listed)
{
	return json_pack("{s:s, s:s}", "user_id", listed->user_id, "source", listed->source);
}

static const char *name_of_stage(enum claim_stage stage)
{
	switch (stage) {
	case CLAIM_OPEN: return "open";
	case CLAIM_VALIDATED: return "validated";
	case CLAIM_OVER: break;
	}
	return "over";
}

json_t *show_session(const struct claim *session, int64_t now_ms)
{
	json_t *shown = show_threepid(&session->threepid);

	json_object_update_new(shown, json_pack("{s:s, s:s, s:I, s:i}", "id", session->id, "state",
						name_of_stage(claim_stage(session, now_ms)),
						"created_ts", (json_int_t)session->created_ms,
						"tries_left", (int)session->tries_left));
	put_time(shown, "sent_ts", session->sent_ms);
	put_time(shown, "validated_ts", session->validated_ms);
	put_text(shown, "next_link", session->next_link);
	put_text(shown, "address_as_sent", session->address_as_sent);
	return shown;
}

/* ---- invites */

static const char *name_of_state(const struct identity_call *call, const struct invite *invite)
{
	struct invite_rules rules = invite_rules_of(call->identity);

	switch (invite->state) {
	case INVITE_PENDING:
		return invite_is_expired(&rules, invite, call->now_ms) ? "expired" : "pending";
	case INVITE_BOUND: return invite->ended_ms ? "given_up" : "bound";
	case INVITE_DELIVERED: return "delivered";
	case INVITE_WITHDRAWN: break;
	}
	return "withdrawn";
}

static json_t *show_notice(const struct identity_call *call, const struct invite *invite)
{
	mx_autofree char *number = mx_strf("%" PRIu64, invite->notice_id);
	struct outbox_report report;
	json_t *notice;

	outbox_look(call->identity->outbox, invite->notice_id, &report);
	notice = json_pack("{s:s, s:i}", "outbox_id", number, "attempts", (int)report.attempts);
	put_time(notice, "next_ts", report.next_ms);
	put_text(notice, "why", report.why);
	return notice;
}

json_t *show_invite(const struct identity_call *call, const struct invite *invite)
{
	json_t *shown = show_threepid(&invite->threepid);

	json_object_update_new(shown,
			       json_pack("{s:s, s:s, s:s, s:s, s:I}", "token", invite->token,
					 "room_id", invite->room_id, "sender", invite->sender,
					 "state", name_of_state(call, invite), "created_ts",
					 (json_int_t)invite->created_ms));
	put_time(shown, "ended_ts", invite->ended_ms);
	put_text(shown, "user_id", invite->user_id);
	if (invite->notice_id)
		json_object_set_new(shown, "notice", show_notice(call, invite));
	return shown;
}

/* ---- */

json_t *show_account(const struct account_summary *account)
{
	json_t *shown = json_pack("{s:s, s:I, s:I}", "user_id", account->user_id, "created_ts",
				  (json_int_t)account->created_ms, "tokens",
				  (json_int_t)account->tokens);

	put_time(shown, "seen_ts", account->seen_ms);
	return shown;
}

json_t *show_suppression(const struct suppression *suppression)
{
	return json_pack("{s:s, s:s, s:s, s:I}", "medium", suppression->medium, "what",
			 suppression->what, "reason", suppression->reason, "since_ts",
			 (json_int_t)suppression->since_ms);
}

int show_if_suppressed(const struct identity_call *call, const struct threepid *threepid,
		       json_t *shown)
{
	struct suppression suppression;
	int rc = suppression_find(call, threepid, &suppression);

	if (rc == 0)
		json_object_set_new(shown, "suppression", show_suppression(&suppression));
	return rc == -MX_NOT_FOUND ? 0 : rc;
}

json_t *show_audit(const struct audit_entry *entry)
{
	json_t *shown = json_pack("{s:I, s:s, s:s}", "at_ts", (json_int_t)entry->at_ms, "who",
				  entry->who, "what", entry->what);

	put_text(shown, "reason", entry->reason);
	put_text(shown, "address_hash", entry->threepid);
	put_text(shown, "user_hash", entry->user);
	put_text(shown, "thing", entry->thing);
	return shown;
}
