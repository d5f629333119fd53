#include "notary/exchange.h"

#include "notary/notary.h"
#include "notary/trust.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/id/server_name.h"
#include "shared/json/json.h"
#include "shared/keys/key_history.h"

#define EXPORT_SERVERS  100
#define EXPORT_RENEWALS 10000

/* ---- import */

struct report {
	json_int_t fresh, renewed, known, conflicts;
	json_t *rejected;
};

static void reject(struct report *report, const char *server, const char *reason,
		   const char *detail)
{
	json_array_append_new(report->rejected, json_pack("{s:s, s:s, s:s}", "server", server,
							  "reason", reason, "detail", detail));
}

static void count(struct report *report, const struct key_recorded *recorded)
{
	if (recorded->conflict)
		report->conflicts++;
	else if (recorded->is_new)
		report->fresh++;
	else if (recorded->renewed)
		report->renewed++;
	else
		report->known++;
}

static enum key_policy policy_of(struct notary *notary, struct mx_slice server)
{
	return trust_one_signature(notary->trust, server) ? KEY_POLICY_ANY : KEY_POLICY_ALL;
}

static int import_one(struct notary *notary, const json_t *item, const char *source,
		      struct report *report)
{
	const struct key_source from = { .source = source };
	struct mx_slice server = jslice(item, "server");
	mx_arena_auto *mem = mx_arena_new(0);
	struct key_recorded recorded = { 0 };
	struct mx_error err = { 0 };
	struct key_object object;
	enum key_refusal refusal;
	int rc;

	if (!mx_server_name_valid(server)) {
		reject(report, server.ptr ? server.ptr : "", "bad_name", "No Matrix server name");
		return 0;
	}
	refusal = key_object_check(jslice(item, "object"), server, policy_of(notary, server), mem,
				   &object, &err);
	if (refusal != KEY_FINE) {
		reject(report, server.ptr, key_refusal_name(refusal), err.text);
		return 0;
	}
	rc = key_history_record(notary->history, &object, &from, &recorded, &err);
	if (rc == -MX_STORE_FULL || rc == -MX_STORE)
		return rc; /* nothing of the rest would work either */
	if (rc && rc != -MX_CONFLICT)
		reject(report, server.ptr, "not_recorded", err.text);
	else
		count(report, &recorded);
	return 0;
}

int exchange_import(struct notary *notary, const json_t *objects, const char *source,
		    json_t **ret_report, struct mx_error *err)
{
	struct report report = { .rejected = json_array() };
	json_t *item;
	size_t i;

	json_array_foreach (objects, i, item) {
		int rc = import_one(notary, item, source, &report);

		if (rc) {
			json_decref(report.rejected);
			return mx_fail(err, (enum mx_code) - rc, "Stopped after %zu objects", i);
		}
	}
	*ret_report = json_pack("{s:I, s:I, s:I, s:I, s:o}", "new", report.fresh, "renewed",
				report.renewed, "known", report.known, "conflicts",
				report.conflicts, "rejected", report.rejected);
	return 0;
}

/* ---- export */

static void add_renewals(json_t *objects, const struct key_entry *entry,
			 const struct key_version *version, const struct key_renewal *renewals,
			 size_t len)
{
	for (size_t i = 0; i < len; i++)
		json_array_append_new(
			objects,
			json_pack("{s:s%, s:I, s:s%, s:I, s:s%}", "server", entry->server.ptr,
				  entry->server.len, "number", (json_int_t)version->number,
				  "object", renewals[i].bytes.ptr, renewals[i].bytes.len,
				  "first_seen_ts", (json_int_t)renewals[i].first_seen_ms, "source",
				  version->source.ptr, version->source.len));
}

static int export_entry(struct notary *notary, const struct key_entry *entry, json_t *objects,
			struct mx_error *err)
{
	for (size_t i = 0; i < entry->len; i++) {
		mx_arena_auto *mem = mx_arena_new(0);
		struct key_renewal *renewals;
		size_t len;
		int rc = key_history_renewals(notary->history, entry->server,
					      entry->versions[i].number, EXPORT_RENEWALS, mem,
					      &renewals, &len, err);

		if (rc)
			return rc;
		add_renewals(objects, entry, &entry->versions[i], renewals, len);
	}
	return 0;
}

static int export_names(struct notary *notary, const struct mx_slice *names, size_t len,
			json_t *objects, struct mx_error *err)
{
	for (size_t i = 0; i < len; i++) {
		struct key_entry *entry;
		int rc = key_history_load(notary->history, names[i], &entry, err);

		if (rc)
			return rc;
		rc = export_entry(notary, entry, objects, err);
		key_entry_unref(entry);
		if (rc)
			return rc;
	}
	return 0;
}

int exchange_export(struct notary *notary, struct mx_slice after, json_t **ret_page,
		    struct mx_error *err)
{
	mx_arena_auto *mem = mx_arena_new(0);
	json_auto_t *objects = json_array();
	struct mx_slice *names;
	size_t len;
	int rc = key_history_servers(notary->history, after, EXPORT_SERVERS, mem, &names, &len,
				     err);

	if (rc == 0)
		rc = export_names(notary, names, len, objects, err);
	if (rc)
		return rc;
	*ret_page = json_pack("{s:O, s:o}", "objects", objects, "next",
			      len == EXPORT_SERVERS
				      ? json_stringn(names[len - 1].ptr, names[len - 1].len)
				      : json_null());
	return 0;
}
