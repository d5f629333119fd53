/* Tokens of /sync and of pages: what is accepted is exactly what is written for it. */
#include "tests/fuzz/fuzz.h"

#include "homeserver/timeline/page_token.h"
#include "homeserver/timeline/sync_token.h"
#include "shared/core/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct mx_slice text = mx_slice_of(size ? (const char *)data : "", size);
	struct sync_token token;
	struct topo_place place;
	mx_str_auto sync = { 0 }, page = { 0 };

	if (sync_token_parse(text, &token, NULL) == 0) {
		sync_token_add(&sync, &token);
		FUZZ_ASSERT(mx_slice_eq(mx_str_slice(&sync), text));
	}
	if (page_token_parse(text, &place, NULL) == 0) {
		page_token_add(&page, place);
		FUZZ_ASSERT(mx_slice_eq(mx_str_slice(&page), text));
	}
	return 0;
}
