#include "shared/core/time.h"
#include "shared/crypto/tls.h"
#include "shared/daemon/state.h"
#include "shared/store/store.h"

static void add_reason(json_t *reasons, const char *name, const char *why, bool is_warning)
{
	json_array_append_new(reasons, json_pack("{s:s, s:s, s:b}", "name", name, "why", why,
						 "warning", is_warning));
}

static void add_certificate(const struct daemon *daemon, json_t *reasons)
{
	int64_t left_ms;

	if (!daemon->tls)
		return;
	left_ms = mx_tls_expires_ms(daemon->tls) - mx_now_ms();
	if (left_ms <= 0)
		add_reason(reasons, "tls", "the certificate has expired", true);
	else if (left_ms < MX_DAY_MS)
		add_reason(reasons, "tls", "the certificate expires within 24 hours", true);
}

static bool add_app_checks(const struct daemon *daemon, json_t *reasons)
{
	const struct daemon_check *check = daemon->app->checks;
	bool ready = true;

	for (; check && check->name; check++) {
		const char *why = check->why_not(daemon->ctx);

		if (!why)
			continue;
		add_reason(reasons, check->name, why, check->is_warning);
		ready = ready && check->is_warning;
	}
	return ready;
}

json_t *health_report(struct daemon *daemon, bool *ret_ready)
{
	json_t *reasons = json_array();
	bool ready = add_app_checks(daemon, reasons);

	if (daemon->phase != PHASE_READY) {
		add_reason(reasons, "daemon",
			   daemon->phase == PHASE_STARTING ? "starting" : "stopping", false);
		ready = false;
	}
	/* Reads go on. */
	if (daemon->store && store_is_full(daemon->store))
		add_reason(reasons, "store", "the disk is full: nothing can be written", true);
	add_certificate(daemon, reasons);
	*ret_ready = ready;
	return json_pack("{s:b, s:o}", "ready", ready, "reasons", reasons);
}
