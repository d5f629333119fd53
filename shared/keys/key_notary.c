#include "shared/keys/key_notary.h"

#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/log.h"
#include "shared/crypto/sign_json.h"
#include "shared/json/canonical.h"
#include "shared/keys/key_history.h"
#include "shared/net/net.h"

#define QUERY_TARGET "/_matrix/key/v2/query"
#define ANSWER_MAX   (1024u * 1024)
#define OBJECTS_MAX  512

static void write_question(const struct key_question *question, struct mx_str *out)
{
	mx_str_add_text(out, "{\"server_keys\":{");
	mx_canonical_string(out, question->server);
	mx_str_add_text(out, ":{");
	mx_canonical_string(out, question->key_id);
	mx_str_addf(out, ":{\"minimum_valid_until_ts\":%lld}}}}",
		    (long long)question->minimum_valid_until_ts);
}

/* One good signature by a key we know, and no bad one by any of them. */
static bool is_countersigned(const struct key_notary *notary, const struct key_object *object)
{
	bool good = notary->keys_len == 0;

	for (unsigned i = 0; i < notary->keys_len; i++) {
		enum mx_sig_state state = mx_check_signature(
			&object->doc, object->signed_bytes, mx_slice(notary->server),
			mx_slice(notary->keys[i].id), notary->keys[i].public_key);

		if (state == MX_SIG_BAD)
			return false;
		good |= state == MX_SIG_GOOD;
	}
	return good;
}

static void tell_refusal(const struct key_question *question, const char *reason,
			 const char *details)
{
	mx_log(MX_LOG_INFO, "key object of a notary refused", "notary", question->notary->server,
	       "reason", reason, "details", details, NULL);
}

static void take_object(const struct key_question *question, struct mx_slice text,
			struct mx_arena *mem)
{
	mx_autofree char *source = mx_strf("notary:%s", question->notary->server);
	struct mx_error err = { 0 };
	struct key_recorded recorded;
	struct key_object object;
	enum key_refusal refusal = key_object_check(text, question->server, KEY_POLICY_ALL, mem,
						    &object, &err);

	if (refusal != KEY_FINE)
		tell_refusal(question, key_refusal_name(refusal), err.text);
	else if (!is_countersigned(question->notary, &object))
		tell_refusal(question, "not countersigned", NULL);
	else if (key_history_record(question->history, &object,
				    &(struct key_source){ .source = source }, &recorded, &err))
		tell_refusal(question, "not recorded", err.text);
}

static bool take_answer(const struct key_question *question, struct mx_slice body,
			struct mx_arena *mem)
{
	struct mx_json_limits limits = mx_json_default_limits;
	struct mx_json_doc doc;
	uint32_t list, taken = 0;

	limits.bytes = ANSWER_MAX;
	if (mx_json_scan(body, &limits, mem, &doc, NULL))
		return false;
	list = mx_json_member(&doc, 0, "server_keys");
	if (!list || mx_json_type(&doc, list) != MX_JSON_ARRAY)
		return false;
	for (uint32_t i = mx_json_first(&doc, list);
	     i < mx_json_end(&doc, list) && taken < OBJECTS_MAX; i = mx_json_next(&doc, i), taken++)
		take_object(question, mx_json_raw(&doc, i), mem);
	return true;
}

bool key_notary_ask(const struct key_question *question)
{
	static const char *const headers[] = { "Content-Type: application/json", NULL };
	mx_arena_auto *mem = mx_arena_new(16384);
	mx_str_auto body = { 0 };
	struct net_request request = {
		.method = "POST",
		.server = question->notary->server,
		.target = QUERY_TARGET,
		.headers = headers,
		.max_bytes = ANSWER_MAX,
	};
	struct net_response response;

	write_question(question, &body);
	request.body = mx_str_slice(&body);
	net_fetch(question->net, &request, mem, &response);
	if (response.rc == 0 && response.status == 200 && take_answer(question, response.body, mem))
		return true;
	mx_log(MX_LOG_WARN, "a notary gave no proper answer, going on without", "notary",
	       question->notary->server, "why", response.err.text, NULL);
	return false;
}
