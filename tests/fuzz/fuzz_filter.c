/* Filters: the first line is a filter, the second an event's JSON. What is unwanted never passes,
 * and what a filter leaves of an event is JSON. */
#include "tests/fuzz/fuzz.h"

#include "homeserver/userdata/filter.h"
#include "homeserver/userdata/filter_fields.h"
#include "shared/core/arena.h"
#include "shared/core/str.h"
#include "shared/json/scan.h"

static void ask(const struct event_filter *filter, struct mx_slice name)
{
	bool allowed = event_filter_allows_type(filter, name, name);

	FUZZ_ASSERT(!allowed || !filter->types.given ||
		    filter->types.literals_len + filter->types.globs_len > 0);
	event_filter_allows_room(filter, name);
}

static void project(const struct filter *filter, struct mx_slice event, struct mx_arena *mem)
{
	mx_str_auto out = { 0 };
	struct mx_json_doc doc;

	if (mx_json_scan(event, &mx_json_default_limits, mem, &doc, NULL) != 0 ||
	    mx_json_type(&doc, 0) != MX_JSON_OBJECT)
		return;
	filter_fields_project(filter->fields, event, &out);
	FUZZ_ASSERT(mx_json_scan(mx_str_slice(&out), &mx_json_default_limits, mem, &doc, NULL) ==
		    0);
	FUZZ_ASSERT(out.len <= event.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct mx_slice event = mx_slice_of(size ? (const char *)data : "", size);
	struct event_filter alone;
	struct filter *filter;
	struct mx_slice text;

	mx_split_next(&event, '\n', &text);
	if (event_filter_parse(text, mem, &alone, NULL) == 0)
		ask(&alone, event);
	if (filter_parse(text, &filter, NULL) != 0)
		return 0;
	ask(&filter->rooms, event);
	ask(&filter->timeline, event);
	ask(&filter->presence, event);
	if (filter->fields)
		project(filter, event, mem);
	filter_unref(filter);
	return 0;
}
