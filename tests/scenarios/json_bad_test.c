/*
 * JSON that servers and clients should not send, and some that looks so. A case has `input` and
 *   code       what comes of it as the body of a request, which must be an object (default OK);
 *   scan       what the scanner alone says (default: code);
 *   canonical  the canonical form of what was scanned, or canonical_code;
 *   limits     bytes, nodes, depth, no_reals instead of the default ones;
 *   value      true: any JSON value will do, not only an object.
 * Every case runs on a stack of 1 MiB, the smallest that our threads have, and may not take much
 * memory, whatever its length.
 */
#include "tests/support/cases.h"

#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/json/canonical.h"
#include "shared/json/json.h"
#include "shared/schema/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>

#define STACK_SIZE     (1024 * 1024)
#define GROWTH_MAX_KIB (32 * 1024)

struct run {
	struct mx_str input, canonical;
	struct mx_json_limits limits;
	bool any_value;
	int scan, body, canonical_code;
	long growth_kib;
};

static struct mx_json_limits limits_read(const json_t *limits)
{
	const struct mx_json_limits *usual = &mx_json_default_limits;

	return (struct mx_json_limits){
		.bytes = (size_t)jint(limits, "bytes", (int64_t)usual->bytes),
		.nodes = (uint32_t)jint(limits, "nodes", usual->nodes),
		.depth = (uint32_t)jint(limits, "depth", usual->depth),
		.no_reals = jbool(limits, "no_reals", usual->no_reals),
	};
}

static void scan_run(struct run *run)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct mx_json_doc doc;

	run->scan = mx_json_scan(mx_str_slice(&run->input), &run->limits, mem, &doc, NULL);
	if (run->scan == 0)
		run->canonical_code = mx_canonical(&doc, 0, NULL, &run->canonical, NULL);
}

static int object_check(const json_t *body)
{
	json_t *text = json_pack("{s:s}", "type", "object");
	struct mx_schema *schema = mx_schema_compile(text, NULL);
	int rc = mx_schema_check(schema, body, NULL);

	mx_schema_free(schema);
	json_decref(text);
	return rc;
}

static void body_run(struct run *run)
{
	mx_arena_auto *mem = mx_arena_new(0);
	json_t *body;

	run->body = mx_json_parse(mx_str_slice(&run->input), &run->limits, mem, &body, NULL);
	if (run->body)
		return;
	if (!run->any_value)
		run->body = object_check(body);
	json_decref(body);
}

/* What the process has in memory, or its peak since the last reset. */
static long status_kib(const char *name)
{
	FILE *file = fopen("/proc/self/status", "r");
	char line[256];
	long kib = 0;

	while (file && fgets(line, sizeof(line), file))
		if (mx_starts_with(line, name))
			kib = strtol(line + strlen(name) + 1, NULL, 10);
	if (file)
		fclose(file);
	return kib;
}

static void peak_reset(void)
{
	FILE *file = fopen("/proc/self/clear_refs", "w");

	if (!file)
		return;
	fputs("5", file);
	fclose(file);
}

static void *thread_run(void *arg)
{
	struct run *run = arg;
	long before;

	peak_reset();
	before = status_kib("VmHWM");
	scan_run(run);
	body_run(run);
	run->growth_kib = status_kib("VmHWM") - before;
	return NULL;
}

static void run_in_thread(struct run *run)
{
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	assert_int_equal(pthread_attr_setstacksize(&attributes, STACK_SIZE), 0);
	assert_int_equal(pthread_create(&thread, &attributes, thread_run, run), 0);
	pthread_join(thread, NULL);
	pthread_attr_destroy(&attributes);
}

static void code_check(const char *what, int rc, const char *expected)
{
	if (rc != case_code(expected))
		fail_msg("%s: %s instead of %s", what, case_code_name(rc),
			 expected ? expected : "OK");
}

static void canonical_check(const struct run *run, const json_t *one)
{
	const json_t *expected = json_object_get(one, "canonical");
	mx_str_auto bytes = { 0 };

	code_check("canonical form", run->canonical_code, jstr(one, "canonical_code"));
	if (!expected)
		return;
	case_input(expected, &bytes);
	assert_int_equal(run->canonical.len, bytes.len);
	assert_memory_equal(run->canonical.ptr, bytes.ptr, bytes.len);
}

/* Sanitizers keep freed memory for a while. */
static void growth_check(const struct run *run)
{
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && !defined(__clang__)
	if (run->growth_kib >= GROWTH_MAX_KIB)
		fail_msg("memory grew by %ld KiB", run->growth_kib);
#else
	(void)run;
#endif
}

static void bad_case(void **state)
{
	const json_t *one = *state;
	const char *code = jstr(one, "code");
	struct run run = {
		.limits = limits_read(jobj(one, "limits")),
		.any_value = jbool(one, "value", false),
	};

	case_input(json_object_get(one, "input"), &run.input);
	run_in_thread(&run);
	code_check("body", run.body, code);
	code_check("scan", run.scan, jstr_or(one, "scan", code));
	if (run.scan == 0)
		canonical_check(&run, one);
	growth_check(&run);
	mx_str_done(&run.input);
	mx_str_done(&run.canonical);
}

int main(void)
{
	mx_alloc_hook_jansson();
	return cases_run(TEST_DIR "/scenarios/json_bad", bad_case);
}
