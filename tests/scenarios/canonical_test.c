/*
 * Canonical JSON. A case has `input`, and `canonical` (text or bytes), or `code` if that form
 * does not exist. `tree_code` says that the form of the parsed tree does not exist; without it
 * tree and text must give the same bytes. `without` lists members that are left out.
 */
#include "tests/support/cases.h"

#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/json/canonical.h"
#include "shared/json/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define WITHOUT_MAX 4

struct run {
	struct mx_arena *mem;
	struct mx_str input, expected, out;
	const char *without[WITHOUT_MAX + 1];
	struct mx_error err;
};

static void without_read(const json_t *list, const char *without[WITHOUT_MAX + 1])
{
	assert_true(json_array_size(list) <= WITHOUT_MAX);
	for (size_t i = 0; i < json_array_size(list); i++)
		without[i] = json_string_value(json_array_get(list, i));
}

static int text_canonical(struct run *run)
{
	struct mx_json_doc doc;
	int rc = mx_json_scan(mx_str_slice(&run->input), &mx_json_default_limits, run->mem, &doc,
			      &run->err);

	return rc ? rc : mx_canonical(&doc, 0, run->without, &run->out, &run->err);
}

static int tree_canonical(struct run *run)
{
	json_t *json;
	int rc = mx_json_parse(mx_str_slice(&run->input), &mx_json_default_limits, run->mem, &json,
			       &run->err);

	if (rc)
		return rc;
	rc = mx_canonical_json(json, run->without, &run->out, &run->err);
	json_decref(json);
	return rc;
}

static void outcome_check(struct run *run, int rc, const char *expected_code)
{
	if (rc != case_code(expected_code))
		fail_msg("%s instead of %s: %s", case_code_name(rc),
			 expected_code ? expected_code : "OK", run->err.text);
	if (rc == 0) {
		assert_int_equal(run->out.len, run->expected.len);
		assert_memory_equal(run->out.ptr, run->expected.ptr, run->expected.len);
	}
	mx_str_clear(&run->out);
}

static void canonical_case(void **state)
{
	const json_t *one = *state;
	const char *code = jstr(one, "code");
	struct run run = { .mem = mx_arena_new(0) };

	case_input(json_object_get(one, "input"), &run.input);
	without_read(json_object_get(one, "without"), run.without);
	if (!code)
		case_input(json_object_get(one, "canonical"), &run.expected);
	outcome_check(&run, text_canonical(&run), code);
	outcome_check(&run, tree_canonical(&run), jstr_or(one, "tree_code", code));
	mx_str_done(&run.input);
	mx_str_done(&run.expected);
	mx_str_done(&run.out);
	mx_arena_free(run.mem);
}

int main(void)
{
	return cases_run(TEST_DIR "/scenarios/canonical", canonical_case);
}
