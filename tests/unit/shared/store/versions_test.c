#include "shared/store/versions.h"

#include "shared/core/arena.h"
#include "tests/support/store_fixture.h"

/* The table itself is not needed: versions only say how it differed. */
static struct store_versions versions;
static _Atomic uint64_t stamp;
static struct mx_arena *mem;

static int begin(void **state)
{
	(void)state;
	store_versions_init(&versions, 2, &stamp);
	mem = mx_arena_new(0);
	return 0;
}

static int end(void **state)
{
	(void)state;
	store_versions_done(&versions);
	mx_arena_free(mem);
	return 0;
}

static void keep(const char *key, const char *value)
{
	struct mx_slice bytes = mx_slice(value);
	struct store_place place = { .table = 1, .key = mx_slice(key) };

	if (!store_versions_has(&versions, &place))
		store_versions_keep(&versions, &place, value ? &bytes : NULL);
}

static const char *seen(const struct store_snapshot *view, const char *key)
{
	const struct store_place place = { .table = 1, .key = mx_slice(key) };
	struct mx_slice value;

	switch (store_versions_get(&versions, view, &place, mem, &value)) {
	case STORE_VERSION_CURRENT: return "current";
	case STORE_VERSION_ABSENT: return "absent";
	case STORE_VERSION_EXPIRED: return "expired";
	case STORE_VERSION_PRESENT: break;
	}
	return mx_arena_strndup(mem, value.ptr, value.len);
}

static void a_view_sees_rows_as_they_were_before_the_commit_under_way(void **state)
{
	struct store_snapshot view;

	(void)state;
	keep("tom", "grey");
	keep("kit", NULL);
	store_versions_view_begin(&versions, &view);
	assert_string_equal(seen(&view, "tom"), "grey");
	assert_string_equal(seen(&view, "kit"), "absent");
	assert_string_equal(seen(&view, "zoe"), "current");
	store_versions_publish(&versions, 0);
	assert_string_equal(seen(&view, "tom"), "grey");
	store_versions_view_end(&versions, &view);
}

static void a_view_after_the_commit_sees_the_table(void **state)
{
	struct store_snapshot view;

	(void)state;
	keep("tom", "grey");
	store_versions_publish(&versions, 0);
	store_versions_view_begin(&versions, &view);
	assert_string_equal(seen(&view, "tom"), "current");
	store_versions_view_end(&versions, &view);
}

static void each_view_sees_its_own_time(void **state)
{
	struct store_snapshot views[4];

	(void)state;
	for (int i = 0; i < 4; i++) {
		store_versions_view_begin(&versions, &views[i]);
		keep("tom", (const char *[]){ "one", "two", "three", "four" }[i]);
		if (i == 1)
			keep("kit", "white");
		store_versions_publish(&versions, 0);
	}
	assert_string_equal(seen(&views[0], "tom"), "one");
	assert_string_equal(seen(&views[1], "tom"), "two");
	assert_string_equal(seen(&views[2], "tom"), "three");
	assert_string_equal(seen(&views[3], "tom"), "four");
	assert_string_equal(seen(&views[0], "kit"), "white");
	assert_string_equal(seen(&views[2], "kit"), "current");
	for (int i = 3; i >= 0; i--)
		store_versions_view_end(&versions, &views[i]);
}

static void only_the_first_change_of_a_commit_counts(void **state)
{
	struct store_snapshot view;

	(void)state;
	store_versions_view_begin(&versions, &view);
	keep("tom", "before");
	keep("tom", "in between");
	assert_string_equal(seen(&view, "tom"), "before");
	store_versions_view_end(&versions, &view);
}

static void what_no_view_needs_is_dropped(void **state)
{
	struct store_snapshot first, second;

	(void)state;
	store_versions_view_begin(&versions, &first);
	keep("tom", "one");
	store_versions_publish(&versions, 0);
	store_versions_view_begin(&versions, &second);
	keep("tom", "two");
	keep("kit", "two");
	store_versions_publish(&versions, 0);
	assert_int_equal(versions.tables[1].len, 3);
	store_versions_view_end(&versions, &first);
	assert_int_equal(versions.tables[1].len, 2);
	store_versions_view_end(&versions, &second);
	assert_int_equal(versions.tables[1].len, 0);
	assert_int_equal(versions.bytes, 0);
	keep("tom", "three");
	store_versions_publish(&versions, 0);
	assert_int_equal(versions.tables[1].len, 0);
}

static void patches_are_the_oldest_versions_after_the_view(void **state)
{
	const struct store_versions_span span = { .table = 1,
						  .from = MX_SLICE("b"),
						  .to = MX_SLICE("e") };
	struct store_patches patches = { 0 };
	struct store_snapshot older, view, younger;

	(void)state;
	store_versions_view_begin(&versions, &older);
	keep("a", "0");
	keep("b", "0");
	keep("d", "0");
	store_versions_publish(&versions, 0);
	store_versions_view_begin(&versions, &view);
	keep("b", "1");
	keep("c", NULL);
	keep("e", "1");
	store_versions_publish(&versions, 0);
	store_versions_view_begin(&versions, &younger);
	keep("b", "2");
	keep("d", "2");
	store_versions_publish(&versions, 0);
	assert_true(store_versions_patch(&versions, &view, &span, mem, &patches));
	assert_int_equal(patches.len, 3);
	assert_true(mx_slice_is(patches.items[0].key, "b"));
	assert_true(mx_slice_is(patches.items[0].value, "1"));
	assert_true(mx_slice_is(patches.items[1].key, "c") && !patches.items[1].present);
	assert_true(mx_slice_is(patches.items[2].key, "d"));
	assert_true(mx_slice_is(patches.items[2].value, "2"));
	mx_vec_done(&patches);
	store_versions_view_end(&versions, &older);
	store_versions_view_end(&versions, &view);
	store_versions_view_end(&versions, &younger);
}

static void a_view_that_holds_too_much_expires(void **state)
{
	struct store_patches patches = { 0 };
	const struct store_versions_span span = { .table = 1 };
	struct store_snapshot old, fresh;

	(void)state;
	versions.bytes_max = 300;
	store_versions_view_begin(&versions, &old);
	for (int i = 0; i < 10; i++) {
		keep("tom", "grey");
		store_versions_publish(&versions, 0);
	}
	store_versions_view_begin(&versions, &fresh);
	assert_true(versions.bytes <= 300);
	assert_string_equal(seen(&old, "tom"), "expired");
	assert_false(store_versions_patch(&versions, &old, &span, mem, &patches));
	assert_string_equal(seen(&fresh, "tom"), "current");
	store_versions_view_end(&versions, &old);
	store_versions_view_end(&versions, &fresh);
}

#define versions_test(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		versions_test(a_view_sees_rows_as_they_were_before_the_commit_under_way),
		versions_test(a_view_after_the_commit_sees_the_table),
		versions_test(each_view_sees_its_own_time),
		versions_test(only_the_first_change_of_a_commit_counts),
		versions_test(what_no_view_needs_is_dropped),
		versions_test(patches_are_the_oldest_versions_after_the_view),
		versions_test(a_view_that_holds_too_much_expires),
	};
	return cmocka_run_group_tests_name("store/versions", tests, NULL, NULL);
}
