#include "tests/support/scenario.h"

#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/str.h"
#include "shared/core/vec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

#define FILE_MAX (4u * 1024 * 1024)

struct file {
	char *path, *name;
	void (*run)(const struct scenario *scenario);
};

static struct mx_slice read_file(const char *path, struct mx_arena *mem)
{
	FILE *file = fopen(path, "r");
	char *text = mx_arena_alloc(mem, FILE_MAX);
	size_t len;

	assert_non_null(file);
	len = fread(text, 1, FILE_MAX, file);
	fclose(file);
	assert_in_range(len, 1, FILE_MAX - 1);
	return mx_slice_of(text, len);
}

static void run_file(void **state)
{
	const struct file *file = *state;
	const struct mx_json_limits limits = {
		.bytes = FILE_MAX,
		.nodes = 1000000,
		.depth = 1000,
	};
	struct scenario scenario = { .name = file->name, .mem = mx_arena_new(0) };

	if (mx_json_scan(read_file(file->path, scenario.mem), &limits, scenario.mem, &scenario.doc,
			 NULL) != 0)
		fail_msg("%s is not JSON", file->path);
	file->run(&scenario);
	mx_arena_free(scenario.mem);
}

static char *name_of(const char *path)
{
	const char *name = strrchr(path, '/') + 1;

	return mx_strndup(name, strlen(name) - strlen(".json"));
}

int scenarios_run_in(const char *kind, const char *directory,
		     void (*run)(const struct scenario *scenario))
{
	struct mx_vec(struct CMUnitTest) tests = { 0 };
	mx_autofree char *pattern = mx_strf("%s/*.json", directory);
	glob_t found;
	int failed;

	if (glob(pattern, 0, NULL, &found) != 0) {
		fprintf(stderr, "no scenarios: %s\n", pattern);
		return EXIT_FAILURE;
	}
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct file file = { found.gl_pathv[i], name_of(found.gl_pathv[i]), run };

		mx_vec_push(&tests, (struct CMUnitTest){
					    .name = file.name,
					    .test_func = run_file,
					    .initial_state = mx_memdup(&file, sizeof(file)),
				    });
	}
	failed = _cmocka_run_group_tests(kind, tests.items, tests.len, NULL, NULL);
	for (size_t i = 0; i < tests.len; i++) {
		struct file *file = tests.items[i].initial_state;

		mx_free(file->name);
		mx_free(file);
	}
	mx_vec_done(&tests);
	globfree(&found);
	return failed;
}

static uint32_t member(const struct scenario *scenario, const char *key)
{
	return mx_json_member(&scenario->doc, scenario->node, key);
}

bool scenario_has(const struct scenario *scenario, const char *key)
{
	return member(scenario, key) != 0;
}

struct mx_slice scenario_text(const struct scenario *scenario, const char *key)
{
	uint32_t node = member(scenario, key);

	if (!node)
		return (struct mx_slice){ 0 };
	if (mx_json_type(&scenario->doc, node) != MX_JSON_STRING)
		fail_msg("%s: %s is no string", scenario->name, key);
	return mx_json_string(&scenario->doc, node, scenario->mem);
}

const char *scenario_cstr(const struct scenario *scenario, const char *key)
{
	struct mx_slice text = scenario_text(scenario, key);

	return text.ptr ? mx_arena_strndup(scenario->mem, text.ptr, text.len) : NULL;
}

struct mx_slice scenario_raw(const struct scenario *scenario, const char *key)
{
	uint32_t node = member(scenario, key);

	return node ? mx_json_raw(&scenario->doc, node) : (struct mx_slice){ 0 };
}

int64_t scenario_int(const struct scenario *scenario, const char *key, int64_t other)
{
	uint32_t node = member(scenario, key);
	int64_t value = other;

	if (node && !mx_json_i64(&scenario->doc, node, &value))
		fail_msg("%s: %s is no integer", scenario->name, key);
	return value;
}

bool scenario_bool(const struct scenario *scenario, const char *key, bool other)
{
	uint32_t node = member(scenario, key);

	return node ? mx_json_type(&scenario->doc, node) == MX_JSON_TRUE : other;
}

bool scenario_next(const struct scenario *scenario, const char *key, uint32_t *cursor,
		   struct scenario *ret_item)
{
	uint32_t array = member(scenario, key);
	uint32_t item;

	if (!array)
		return false;
	item = *cursor ? mx_json_next(&scenario->doc, *cursor)
		       : mx_json_first(&scenario->doc, array);
	if (item >= mx_json_end(&scenario->doc, array))
		return false;
	*cursor = item;
	*ret_item = *scenario;
	ret_item->node = item;
	return true;
}

bool scenario_object(const struct scenario *scenario, const char *key, struct scenario *ret_object)
{
	uint32_t node = member(scenario, key);

	if (!node)
		return false;
	*ret_object = *scenario;
	ret_object->node = node;
	return true;
}
