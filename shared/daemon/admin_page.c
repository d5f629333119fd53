#include "shared/daemon/admin_page.h"

#include "shared/core/arena.h"
#include "shared/core/base64.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/http/request.h"
#include "shared/store/store.h"

#define LIMIT_DEFAULT 100

static int read_cursor(struct req *r, struct mx_slice *ret_after)
{
	const char *text = req_query(r, "after");
	char *bytes;
	size_t len;

	*ret_after = MX_SLICE("");
	if (!text)
		return 0;
	bytes = mx_arena_alloc(r->mem, STORE_KEY_MAX);
	if (!mx_base64_decode(mx_slice(text), bytes, STORE_KEY_MAX, &len))
		return mx_fail(&r->err, MX_INVALID_PARAM, "after is not what a page ended with");
	*ret_after = mx_slice_of(bytes, len);
	return 0;
}

int admin_page(struct req *r, struct page *ret_page)
{
	int64_t limit;
	int rc = req_query_i64(r, "limit", LIMIT_DEFAULT, &limit);

	if (rc || limit < 1 || limit > PAGE_MAX)
		return mx_fail(&r->err, MX_INVALID_PARAM, "limit is 1 to %d", PAGE_MAX);
	ret_page->limit = (size_t)limit;
	return read_cursor(r, &ret_page->after);
}

void admin_reply_page(struct req *r, json_t *answer, struct mx_slice next)
{
	mx_str_auto text = { 0 };

	if (next.len > 0) {
		mx_base64url_add(&text, next.ptr, next.len);
		json_object_set_new(answer, "next", json_string(text.ptr));
	}
	reply_json(r, answer);
}
