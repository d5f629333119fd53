#include "shared/threepid/confirm.h"

#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/http/request.h"
#include "shared/json/json.h"
#include "shared/mail/template.h"
#include "shared/threepid/next_link.h"
#include "shared/threepid/validation.h"

/* ---- tokens, by clients */

int confirm_json(struct req *r, const struct confirm_desk *desk, const char *medium)
{
	const struct validation_proof proof = { medium, jstr(r->body, "sid"),
						jstr(r->body, "client_secret"),
						jstr(r->body, "token") };
	struct claim session;
	int rc = validation_submit(desk->validator, &proof, r->mem, &session, &r->err);

	if (rc == 0)
		reply_json(r, json_pack("{s:b}", "success", 1));
	return rc;
}

/* ---- tokens, by people */

static int show_failure(struct req *r, const struct confirm_desk *desk, int rc)
{
	const struct template_value values[] = {
		{ "expired", rc == -MX_SESSION_EXPIRED ? "1" : "" },
		{ "wrong_token", rc == -MX_TOKEN_INCORRECT ? "1" : "" },
		{ "message", mx_error_text(&r->err, rc) },
	};
	const struct template_values all = { values, 3 };

	/* Everything else is no fault of the link. */
	if (mx_errc((enum mx_code) - rc)->status >= 500)
		return rc;
	return desk->page(r, "failed.html", &all, 400);
}

static int show_success(struct req *r, const struct confirm_desk *desk, const struct claim *session)
{
	const struct template_value values[] = {
		{ "address", session->threepid.address },
		{ "success", "1" },
	};
	const struct template_values all = { values, 2 };

	if (session->next_link) {
		reply_redirect(r, next_link_with_sid(session->next_link, session->id, r->mem));
		reply_header(r, "Referrer-Policy", "no-referrer");
		return 0;
	}
	return desk->page(r, "verified.html", &all, 200);
}

/* address "" if it is not known. */
static int show_button(struct req *r, const struct confirm_desk *desk,
		       const struct validation_proof *proof, const char *address)
{
	const struct template_value values[] = {
		{ "action", desk->page_url },
		{ "sid", proof->id },
		{ "client_secret", proof->client_secret },
		{ "token", proof->token },
		{ "brand", desk->brand },
		{ "address", address },
	};
	const struct template_values all = { values, sizeof(values) / sizeof(values[0]) };

	return desk->page(r, "verify.html", &all, 200);
}

static int confirm(struct req *r, const struct confirm_desk *desk,
		   const struct validation_proof *proof)
{
	struct claim session;
	int rc;

	if (!proof->id || !proof->client_secret || !proof->token)
		return show_failure(r, desk, -MX_MISSING_PARAMS);
	rc = validation_submit(desk->validator, proof, r->mem, &session, &r->err);
	return rc ? show_failure(r, desk, rc) : show_success(r, desk, &session);
}

static struct validation_proof proof_of_query(struct req *r, const char *medium)
{
	return (struct validation_proof){ medium, req_query(r, "sid"),
					  req_query(r, "client_secret"), req_query(r, "token") };
}

/* Browsers that load a page before anybody asked for it. */
static bool is_prefetch(struct req *r)
{
	static const char *const names[] = { "Sec-Purpose", "Purpose", "X-Moz", "X-Purpose" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *value = req_header(r, names[i]);

		if (value && (strstr(value, "prefetch") || strstr(value, "preview")))
			return true;
	}
	return false;
}

int confirm_link(struct req *r, const struct confirm_desk *desk, const char *medium)
{
	const struct validation_proof proof = proof_of_query(r, medium);

	if (r->head_only || is_prefetch(r))
		return show_button(r, desk, &proof, "");
	return confirm(r, desk, &proof);
}

int confirm_show(struct req *r, const struct confirm_desk *desk)
{
	const struct claim_call call = {
		.view = r->view, .txn = r->txn, .mem = r->mem, .now_ms = mx_now_ms()
	};
	const struct validation_proof proof = proof_of_query(r, "email");
	struct claim session;
	int rc;

	if (!proof.id || !proof.client_secret || !proof.token)
		return show_failure(r, desk, -MX_MISSING_PARAMS);
	rc = claim_load(&call, proof.id, proof.client_secret, &session, &r->err);
	if (rc)
		return show_failure(r, desk, rc);
	/* Who comes again learns that it is done; that changes nothing any more. */
	if (session.validated_ms && streq(session.threepid.medium, proof.medium))
		return confirm(r, desk, &proof);
	return show_button(r, desk, &proof, session.threepid.address);
}

int confirm_form(struct req *r, const struct confirm_desk *desk)
{
	const struct validation_proof proof = { "email", jstr(r->body, "sid"),
						jstr(r->body, "client_secret"),
						jstr(r->body, "token") };

	return confirm(r, desk, &proof);
}
