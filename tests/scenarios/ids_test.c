/*
 * Grammar of identifiers. A case has `kind` (a row of the table below), `accept` and `refuse`:
 * lists of inputs.
 */
#include "tests/support/cases.h"

#include "shared/id/mxid.h"
#include "shared/id/server_name.h"
#include "shared/json/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static bool is_user_id(struct mx_slice text)
{
	struct mx_id id;

	return mx_user_id_parse(text, false, &id);
}

static bool is_new_user_id(struct mx_slice text)
{
	struct mx_id id;

	return mx_user_id_parse(text, true, &id);
}

static bool is_room_id(struct mx_slice text)
{
	struct mx_id id;

	return mx_room_id_parse(text, &id);
}

static bool is_event_id(struct mx_slice text)
{
	struct mx_id id;

	return mx_event_id_parse(text, &id);
}

static bool is_alias(struct mx_slice text)
{
	struct mx_id id;

	return mx_alias_parse(text, &id);
}

static bool is_key_id(struct mx_slice text)
{
	struct mx_key_id id;

	return mx_key_id_parse(text, &id);
}

static bool is_strict_key_id(struct mx_slice text)
{
	struct mx_key_id id;

	return mx_key_id_parse(text, &id) && mx_key_id_is_strict(&id);
}

static const struct kind {
	const char *name;
	bool (*accepts)(struct mx_slice text);
} kinds[] = {
	{ "server_name", mx_server_name_valid },
	{ "user_id", is_user_id },
	{ "new_user_id", is_new_user_id },
	{ "room_id", is_room_id },
	{ "event_id", is_event_id },
	{ "alias", is_alias },
	{ "key_id", is_key_id },
	{ "strict_key_id", is_strict_key_id },
};

static const struct kind *kind_find(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (streq(kinds[i].name, name))
			return &kinds[i];
	fail_msg("%s is no kind of identifier", name);
	return NULL;
}

static size_t list_check(const struct kind *kind, const json_t *list, bool accepted)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		mx_str_auto text = { 0 };

		case_input(json_array_get(list, i), &text);
		if (kind->accepts(mx_str_slice(&text)) != accepted)
			fail_msg("%s %s: %.*s", kind->name, accepted ? "refused" : "accepted",
				 MX_SLICE_ARG(mx_str_slice(&text)));
	}
	return json_array_size(list);
}

static void ids_case(void **state)
{
	const json_t *one = *state;
	const struct kind *kind = kind_find(jstr(one, "kind"));
	size_t count = list_check(kind, jarr(one, "accept"), true);

	count += list_check(kind, jarr(one, "refuse"), false);
	assert_true(count > 0);
}

int main(void)
{
	return cases_run(TEST_DIR "/scenarios/ids", ids_case);
}
