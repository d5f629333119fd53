/* A body where forms are welcome: every field of an accepted one is text, there are no more of
 * them than pieces, and the query takes nothing away. */
#include "tests/fuzz/fuzz.h"

#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/utf8.h"
#include "shared/http/form.h"
#include "shared/http/target.h"

static void fields_check(json_t *form)
{
	const char *name;
	json_t *value;

	json_object_foreach (form, name, value) {
		FUZZ_ASSERT(json_is_string(value));
		FUZZ_ASSERT(mx_utf8_valid(mx_slice(name)));
		FUZZ_ASSERT(mx_utf8_valid(mx_slice(json_string_value(value))));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct target_pair pair = { "a", "of the query" };
	const struct target target = { .pairs = &pair, .pairs_len = 1 };
	mx_arena_auto *mem = mx_arena_new(0);
	struct mx_slice body = mx_slice_of(size ? (const char *)data : "", size);
	json_auto_t *form = json_object();
	struct mx_error err = { 0 };
	json_t *before;
	int rc = form_read(body, mem, form, &err);

	if (form_is_json(mx_slice(""), body))
		FUZZ_ASSERT(size > 0);
	FUZZ_ASSERT(rc == 0 || (rc == -MX_INVALID_PARAM && err.text[0]));
	FUZZ_ASSERT(json_object_size(form) <= FORM_PAIRS_MAX);
	fields_check(form);
	before = json_object_get(form, "a");
	form_fill(form, &target);
	FUZZ_ASSERT(!before || json_object_get(form, "a") == before);
	FUZZ_ASSERT(json_object_get(form, "a"));
	return 0;
}
