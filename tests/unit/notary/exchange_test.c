/* wrap: net_start net_fetch */
#include "notary/exchange.h"

#include "notary/trust.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/time.h"
#include "shared/json/json.h"
#include "tests/support/notary_fixture.h"

static const struct made_object first = {
	.server = "a.example",
	.valid_until_ts = NOTARY_NOW + MX_HOUR_MS,
	.keys = { { .id = "ed25519:1", .seed = 1 } },
};

static void add_text(json_t *objects, const char *server, struct mx_slice text)
{
	json_array_append_new(
		objects, json_pack("{s:s, s:s%}", "server", server, "object", text.ptr, text.len));
}

static void add(struct notary_fixture *f, json_t *objects, const struct made_object *made)
{
	add_text(objects, made->server, key_fixture_text(made, f->mem));
}

/* Imports and gives the report; the caller owns it. Takes the objects. */
static json_t *import(struct notary_fixture *f, json_t *objects)
{
	json_t *report = NULL;
	struct mx_error err = { 0 };
	int rc = exchange_import(&f->notary, objects, "elsewhere", &report, &err);

	json_decref(objects);
	if (rc)
		fail_msg("%s", err.text);
	return report;
}

static const char *reason_of(const json_t *report, size_t i)
{
	return jstr(json_array_get(jarr(report, "rejected"), i), "reason");
}

static void every_object_is_counted_by_what_was_new_of_it(void **state)
{
	struct notary_fixture *f = *state;
	struct made_object renewed = first, stolen = first;
	json_t *objects = json_array();
	json_auto_t *report = NULL;

	renewed.valid_until_ts += MX_HOUR_MS;
	stolen.keys[0].seed = 9;
	add(f, objects, &first);
	add(f, objects, &first);
	add(f, objects, &renewed);
	add(f, objects, &stolen);
	report = import(f, objects);
	assert_int_equal(jint(report, "new", 0), 1);
	assert_int_equal(jint(report, "known", 0), 1);
	assert_int_equal(jint(report, "renewed", 0), 1);
	assert_int_equal(jint(report, "conflicts", 0), 1);
	assert_int_equal(json_array_size(jarr(report, "rejected")), 0);
}

static void what_is_imported_says_where_it_came_from(void **state)
{
	struct notary_fixture *f = *state;
	json_t *objects = json_array();
	struct key_entry *entry;

	add(f, objects, &first);
	json_decref(import(f, objects));
	entry = notary_fixture_load(f, "a.example");
	assert_true(mx_slice_is(entry->versions[0].source, "elsewhere"));
	key_entry_unref(entry);
}

static void bad_objects_are_named_and_cost_the_others_nothing(void **state)
{
	struct notary_fixture *f = *state;
	struct mx_slice good = key_fixture_text(&first, f->mem);
	json_t *objects = json_array();
	json_auto_t *report = NULL;

	add_text(objects, "..", good);
	add_text(objects, "b.example", good);
	add_text(objects, "a.example", MX_SLICE("{"));
	add_text(objects, "a.example", MX_SLICE("{}"));
	json_array_append_new(objects, json_pack("{s:s}", "server", "a.example"));
	json_array_append_new(objects, json_object());
	add(f, objects, &first);
	report = import(f, objects);
	assert_int_equal(json_array_size(jarr(report, "rejected")), 6);
	assert_string_equal(reason_of(report, 0), "bad_name");
	assert_string_equal(reason_of(report, 1), "wrong_server");
	assert_string_equal(reason_of(report, 2), "not_json");
	assert_string_equal(reason_of(report, 5), "bad_name");
	assert_int_equal(jint(report, "new", 0), 1);
}

static void every_key_must_have_signed_unless_excepted(void **state)
{
	struct notary_fixture *f = *state;
	struct made_object sloppy = first;
	char *one[] = { (char[]){ "a.*" } };
	json_t *objects = json_array();
	json_auto_t *refused = NULL, *taken = NULL;

	sloppy.keys[1] = (struct made_key){ .id = "ed25519:2", .seed = 2, .silent = true };
	add(f, objects, &sloppy);
	refused = import(f, json_incref(objects));
	assert_string_equal(reason_of(refused, 0), "unsigned");
	trust_set_lists(f->notary.trust,
			&(struct trust_lists){ .one_signature = one, .one_signature_len = 1 });
	taken = import(f, objects);
	assert_int_equal(jint(taken, "new", 0), 1);
}

static json_t *export_after(struct notary_fixture *f, const char *after)
{
	json_t *page = NULL;

	assert_int_equal(exchange_export(&f->notary, mx_slice(after), &page, NULL), 0);
	return page;
}

static void an_export_holds_every_renewal_byte_for_byte(void **state)
{
	struct notary_fixture *f = *state;
	struct made_object renewed = first;
	json_auto_t *page = NULL;
	json_t *objects;

	renewed.valid_until_ts += MX_HOUR_MS;
	notary_fixture_record(f, &renewed);
	notary_fixture_record(f, &first);
	page = export_after(f, "");
	objects = jarr(page, "objects");
	assert_int_equal(json_array_size(objects), 2);
	assert_true(mx_slice_eq(jslice(json_array_get(objects, 0), "object"),
				key_fixture_text(&first, f->mem)));
	assert_true(mx_slice_eq(jslice(json_array_get(objects, 1), "object"),
				key_fixture_text(&renewed, f->mem)));
	assert_true(json_is_null(json_object_get(page, "next")));
}

static void an_empty_history_is_an_empty_page(void **state)
{
	json_auto_t *page = export_after(*state, "");

	assert_int_equal(json_array_size(jarr(page, "objects")), 0);
	assert_true(json_is_null(json_object_get(page, "next")));
}

static void record_many(struct notary_fixture *f, int count)
{
	for (int i = 0; i < count; i++) {
		struct made_object one = first;

		one.server = mx_arena_strf(f->mem, "s%03d.example", i);
		notary_fixture_record(f, &one);
	}
}

static void pages_follow_one_another_until_the_end(void **state)
{
	struct notary_fixture *f = *state;
	size_t objects = 0, pages = 0;
	char after[64] = "";

	record_many(f, 230);
	do {
		json_auto_t *page = export_after(f, after);
		const char *next = jstr(page, "next");

		objects += json_array_size(jarr(page, "objects"));
		pages++;
		snprintf(after, sizeof(after), "%s", next ? next : "");
	} while (after[0]);
	assert_int_equal(objects, 230);
	assert_int_equal(pages, 3);
}

static void what_was_exported_can_be_imported(void **state)
{
	struct notary_fixture *f = *state;
	json_auto_t *page = NULL, *report = NULL;
	size_t removed;

	notary_fixture_record(f, &first);
	page = export_after(f, "");
	assert_int_equal(key_history_purge(f->notary.history, MX_SLICE("a.example"), 0, "test",
					   &removed, NULL),
			 0);
	report = import(f, json_incref(jarr(page, "objects")));
	assert_int_equal(jint(report, "new", 0), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		notary_test(every_object_is_counted_by_what_was_new_of_it),
		notary_test(what_is_imported_says_where_it_came_from),
		notary_test(bad_objects_are_named_and_cost_the_others_nothing),
		notary_test(every_key_must_have_signed_unless_excepted),
		notary_test(an_export_holds_every_renewal_byte_for_byte),
		notary_test(an_empty_history_is_an_empty_page),
		notary_test(pages_follow_one_another_until_the_end),
		notary_test(what_was_exported_can_be_imported),
	};

	return cmocka_run_group_tests_name("notary/exchange", tests, NULL, NULL);
}
