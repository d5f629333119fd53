#include "shared/http/request.h"

#include "shared/core/str.h"
#include "shared/http/exchange.h"

#include <microhttpd.h>

const char *req_param(const struct req *r, const char *name)
{
	const struct exchange *ex = (const struct exchange *)r;

	for (unsigned i = 0; i < ex->entry->params_len; i++)
		if (streq(ex->entry->params[i].name, name))
			return ex->params[i];
	abort(); /* a handler asks for what its own path does not have */
}

const char *req_query(struct req *r, const char *name)
{
	return target_query(&exchange_of(r)->target, name);
}

bool req_query_twice(struct req *r, const char *name)
{
	const struct target *target = &exchange_of(r)->target;
	unsigned count = 0;

	for (unsigned i = 0; i < target->pairs_len; i++)
		count += streq(target->pairs[i].name, name);
	return count > 1;
}

int req_query_i64(struct req *r, const char *name, int64_t other, int64_t *ret_value)
{
	const char *text = req_query(r, name);
	int64_t value = other;

	if (text && !mx_parse_i64(mx_slice(text), &value))
		return mx_fail(&r->err, MX_INVALID_PARAM, "%s must be an integer", name);
	*ret_value = value;
	return 0;
}

const char *req_header(const struct req *r, const char *name)
{
	const struct exchange *ex = (const struct exchange *)r;

	return MHD_lookup_connection_value(ex->mhd, MHD_HEADER_KIND, name);
}
