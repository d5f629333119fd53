#include "homeserver/account/bearer.h"

#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/http/request.h"

#include <strings.h>

#define SCHEME "Bearer"

/* False for another scheme. */
static bool read_header(const char *header, struct mx_slice *ret_token)
{
	size_t len = strlen(SCHEME);

	if (strncasecmp(header, SCHEME, len) != 0 || (header[len] != ' ' && header[len] != '\0'))
		return false;
	*ret_token = mx_trim(mx_slice(header + len));
	return true;
}

int bearer_token(struct req *r, struct mx_slice *ret_token)
{
	const char *header = req_header(r, "Authorization");
	const char *query = req_query(r, "access_token");

	if (query && (header || req_query_twice(r, "access_token")))
		return mx_fail(&r->err, MX_INVALID_PARAM, "There is more than one access token");
	if (query)
		*ret_token = mx_slice(query);
	else if (!header || !read_header(header, ret_token))
		return -MX_MISSING_TOKEN;
	return ret_token->len > 0 ? 0 : -MX_UNKNOWN_TOKEN;
}
