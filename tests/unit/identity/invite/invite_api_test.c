/* wrap: message_mail listed_or_bound threepid_parse message_style_of reply_json req_query */
#include "identity/message/message.h"
#include "identity/routes.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/http/request.h"
#include "shared/json/json.h"
#include "shared/schema/schema.h"
#include "tests/support/invite_fixture.h"
#include "tests/support/store_fixture.h"

#include <string.h>

static json_t *replied;
static const char *query; /* the value of public_key */

struct letter_style __wrap_message_style_of(struct identity *identity, struct req *r);
void __wrap_reply_json(struct req *r, json_t *json);
const char *__wrap_req_query(struct req *r, const char *name);

struct letter_style __wrap_message_style_of(struct identity *identity, struct req *r)
{
	(void)identity;
	(void)r;
	return (struct letter_style){ 0 };
}

void __wrap_reply_json(struct req *r, json_t *json)
{
	(void)r;
	json_decref(replied);
	replied = json;
}

const char *__wrap_req_query(struct req *r, const char *name)
{
	(void)r;
	assert_string_equal(name, "public_key");
	return query;
}

static int tear_down(void **state)
{
	json_decref(replied);
	replied = NULL;
	return invite_fixture_teardown(state);
}

#define api_test(function) \
	cmocka_unit_test_setup_teardown(function, invite_fixture_setup, tear_down)

static const struct route *row_of(const struct route *table, const char *path)
{
	while (table->method != METHOD_NONE && !streq(table->path, path))
		table++;
	assert_int_not_equal(table->method, METHOD_NONE);
	return table;
}

/* As the dispatcher does it: schema, handler, and the answer's schema. */
static int call(struct invite_fixture *f, const struct route *row, const char *user, json_t *body,
		json_t **ret_err_fields)
{
	struct req r = {
		.mem = f->call.mem,
		.app = &f->identity,
		.route = row,
		.client = "192.0.2.7",
		.body = body,
		.txn = f->call.txn,
		.user = user,
	};
	int rc = row->body ? mx_schema_check(mx_schema_find(row->body), body, NULL) : 0;

	if (rc == 0)
		rc = row->handler(&r);
	if (rc == 0)
		assert_int_equal(mx_schema_check(mx_schema_find(row->reply), replied, NULL), 0);
	if (ret_err_fields)
		*ret_err_fields = r.err_fields;
	else
		json_decref(r.err_fields);
	json_decref(body);
	return rc;
}

static json_t *asking(void)
{
	return json_pack("{s:s, s:s, s:s, s:s}", "medium", "email", "address", "alice@example.com",
			 "room_id", "!room:example.com", "sender", "@bob:example.com");
}

static const struct route *store_v2(void)
{
	return row_of(store_invite_v2_routes, IDENTITY_V2 "/store-invite");
}

static const struct route *store_v1(void)
{
	return row_of(store_invite_v1_routes, IDENTITY_V1 "/store-invite");
}

static void assert_key(size_t index, const char *public_key, const char *url)
{
	const json_t *key = json_array_get(jarr(replied, "public_keys"), index);

	if (public_key)
		assert_string_equal(jstr(key, "public_key"), public_key);
	assert_string_equal(jstr(key, "key_validity_url"), url);
}

static void the_long_term_key_comes_first(void **state)
{
	assert_int_equal(call(*state, store_v2(), "@bob:example.com", asking(), NULL), 0);
	assert_key(0, jstr(replied, "public_key"),
		   "https://id.example.org/_matrix/identity/api/v1/pubkey/isvalid");
	assert_key(1, NULL,
		   "https://id.example.org/_matrix/identity/api/v1/pubkey/ephemeral/isvalid");
	assert_string_equal(jstr(replied, "display_name"), "ali...@exa...");
}

static void a_bound_address_names_its_user(void **state)
{
	struct invite_fixture *f = *state;
	json_t *fields;

	f->bound_user = "@alice:example.org";
	assert_int_equal(call(f, store_v2(), "@bob:example.com", asking(), &fields),
			 -MX_THREEPID_IN_USE);
	assert_string_equal(jstr(fields, "mxid"), "@alice:example.org");
	json_decref(fields);
}

static void the_sender_is_the_account(void **state)
{
	assert_int_equal(call(*state, store_v2(), "@eve:example.com", asking(), NULL),
			 -MX_NOT_YOURS);
}

static void on_v1_a_network_has_the_budget(void **state)
{
	struct invite_fixture *f = *state;

	for (unsigned i = 0; i < INVITE_FIXTURE_BUDGET; i++) {
		json_t *body = asking();

		json_object_set_new(body, "sender", json_sprintf("@bob%u:example.com", i));
		assert_int_equal(call(f, store_v1(), NULL, body, NULL), 0);
	}
	assert_int_equal(call(f, store_v1(), NULL, asking(), NULL), -MX_LIMIT_EXCEEDED);
	assert_string_equal(invite_fixture_value(f, "bracketed_verified_sender"), "");
}

static void assert_unfit(struct invite_fixture *f, const char *key, json_t *value, int rc)
{
	json_t *body = asking();

	if (value)
		json_object_set_new(body, key, value);
	else
		json_object_del(body, key);
	assert_int_equal(call(f, store_v2(), "@bob:example.com", body, NULL), rc);
}

static void what_is_needed_is_asked_for(void **state)
{
	assert_unfit(*state, "medium", NULL, -MX_MISSING_PARAM);
	assert_unfit(*state, "address", NULL, -MX_MISSING_PARAM);
	assert_unfit(*state, "room_id", NULL, -MX_MISSING_PARAM);
	assert_unfit(*state, "sender", NULL, -MX_MISSING_PARAM);
	assert_unfit(*state, "sender", json_string("bob"), -MX_INVALID_PARAM);
	assert_unfit(*state, "sender", json_string("@bob"), -MX_INVALID_PARAM);
	assert_unfit(*state, "room_id", json_string(""), -MX_INVALID_PARAM);
	assert_unfit(*state, "address", json_integer(1), -MX_BAD_JSON);
	assert_unfit(*state, "room_name", json_object(), 0);
}

static void assert_mail_signs(struct invite_fixture *f, const struct route *row)
{
	json_t *body;

	assert_int_equal(call(f, store_v1(), NULL, asking(), NULL), 0);
	body = json_pack("{s:s, s:s, s:s}", "mxid", "@alice:example.org", "token",
			 invite_fixture_value(f, "token"), "private_key",
			 invite_fixture_value(f, "ephemeral_private_key"));
	assert_int_equal(call(f, row, NULL, body, NULL), 0);
	assert_string_equal(jstr(replied, "sender"), "@bob:example.com");
}

static void the_key_of_the_mail_signs(void **state)
{
	struct invite_fixture *f = *state;

	assert_mail_signs(f, row_of(sign_v1_routes, IDENTITY_V1 "/sign-ed25519"));
	assert_non_null(strstr(invite_fixture_value(f, "signurl"), IDENTITY_V1 "/sign-ed25519?"));
}

static void without_v1_the_mail_leads_to_a_path_of_our_own(void **state)
{
	static char group[] = "v1_invites";
	struct invite_fixture *f = *state;
	char *off[] = { group };

	f->conf.endpoints.off = off;
	f->conf.endpoints.off_count = 1;
	assert_mail_signs(f, row_of(ephemeral_routes, IDENTITY_OWN "/sign-ed25519"));
	assert_non_null(strstr(invite_fixture_value(f, "signurl"), IDENTITY_OWN "/sign-ed25519?"));
}

static bool is_valid(struct invite_fixture *f, const char *base, const char *key)
{
	mx_str_auto path = { 0 };

	query = key;
	mx_str_addf(&path, "%s/pubkey/ephemeral/isvalid", base);
	assert_int_equal(call(f, row_of(ephemeral_routes, path.ptr), NULL, NULL, NULL), 0);
	return jbool(replied, "valid", false);
}

static void keys_are_checked_under_both_versions(void **state)
{
	struct invite_fixture *f = *state;
	const char *key;

	assert_int_equal(call(f, store_v1(), NULL, asking(), NULL), 0);
	key = mx_arena_strdup(f->call.mem,
			      jstr(json_array_get(jarr(replied, "public_keys"), 1), "public_key"));
	assert_true(is_valid(f, IDENTITY_V1, key));
	assert_true(is_valid(f, IDENTITY_V2, key));
	assert_false(is_valid(f, IDENTITY_V2, "AAAA"));
}

static void a_check_needs_a_key(void **state)
{
	query = NULL;
	assert_int_equal(call(*state,
			      row_of(ephemeral_routes, IDENTITY_V2 "/pubkey/ephemeral/isvalid"),
			      NULL, NULL, NULL),
			 -MX_MISSING_PARAMS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		api_test(the_long_term_key_comes_first),
		api_test(a_bound_address_names_its_user),
		api_test(the_sender_is_the_account),
		api_test(on_v1_a_network_has_the_budget),
		api_test(what_is_needed_is_asked_for),
		api_test(the_key_of_the_mail_signs),
		api_test(without_v1_the_mail_leads_to_a_path_of_our_own),
		api_test(keys_are_checked_under_both_versions),
		api_test(a_check_needs_a_key),
	};
	return cmocka_run_group_tests_name("invite/invite_api", tests, NULL, NULL);
}
