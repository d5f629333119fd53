/* Any JSON against every schema of ours, and as a schema. */
#include "tests/fuzz/fuzz.h"

#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/utf8.h"
#include "shared/json/json.h"
#include "shared/schema/schema.h"

static const struct mx_json_limits limits = { .bytes = 1 << 16, .nodes = 1000, .depth = 20 };

static void check(const struct mx_schema *schema, const json_t *json)
{
	struct mx_error err = { 0 };
	int rc = mx_schema_check(schema, json, &err);

	FUZZ_ASSERT(rc == 0 || -rc == (int)err.code);
	FUZZ_ASSERT(mx_utf8_valid(mx_slice(err.text)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct mx_schema *own;
	json_t *json;

	if (mx_json_parse(mx_slice_of(data, size), &limits, mem, &json, NULL))
		return 0;
	for (unsigned i = 0; mx_schema_name(i); i++)
		check(mx_schema_find(mx_schema_name(i)), json);
	own = mx_schema_compile(json, NULL);
	if (own)
		check(own, json);
	mx_schema_free(own);
	json_decref(json);
	return 0;
}
