/* The canonical form of a canonical form is the same, and that of the tree is, too. */
#include "tests/fuzz/fuzz.h"

#include "shared/core/arena.h"
#include "shared/json/canonical.h"
#include "shared/json/json.h"

static const struct mx_json_limits limits = { .bytes = 1 << 16, .nodes = 1000, .depth = 20 };

static void canonical_again(const struct mx_str *once, struct mx_arena *mem)
{
	/* Escapes of controls are longer than what they stand for. */
	struct mx_json_limits wider = limits;
	mx_str_auto twice = { 0 };
	struct mx_json_doc doc;

	wider.bytes *= 6;
	FUZZ_ASSERT(mx_json_scan(mx_str_slice(once), &wider, mem, &doc, NULL) == 0);
	FUZZ_ASSERT(mx_canonical(&doc, 0, NULL, &twice, NULL) == 0);
	FUZZ_ASSERT(mx_slice_eq(mx_str_slice(once), mx_str_slice(&twice)));
}

static void canonical_of_tree(struct mx_slice text, const struct mx_str *once, struct mx_arena *mem)
{
	mx_str_auto other = { 0 };
	json_t *json = NULL;

	if (mx_json_parse(text, &limits, mem, &json, NULL))
		return;
	if (mx_canonical_json(json, NULL, &other, NULL) == 0)
		FUZZ_ASSERT(mx_slice_eq(mx_str_slice(once), mx_str_slice(&other)));
	json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mx_slice text = mx_slice_of(data, size);
	mx_arena_auto *mem = mx_arena_new(0);
	mx_str_auto once = { 0 };
	struct mx_json_doc doc;

	if (mx_json_scan(text, &limits, mem, &doc, NULL) ||
	    mx_canonical(&doc, 0, NULL, &once, NULL))
		return 0;
	canonical_again(&once, mem);
	canonical_of_tree(text, &once, mem);
	return 0;
}
