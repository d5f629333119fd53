#include "homeserver/timeline/sync_token.h"

#include "shared/core/error.h"
#include "shared/core/str.h"

#include <inttypes.h>

void sync_token_add(struct mx_str *out, const struct sync_token *token)
{
	mx_str_addf(out, "s%" PRIu64 "_%" PRIu64, token->position, token->tick);
}

/* Digits as they are written here: no sign, no leading zeros. */
static bool number_parse(struct mx_slice text, uint64_t *ret_number)
{
	int64_t number;

	if (text.len > 1 && text.ptr[0] == '0')
		return false;
	if (!mx_parse_i64(text, &number) || number < 0 || text.ptr[0] == '-')
		return false;
	*ret_number = (uint64_t)number;
	return true;
}

int sync_token_parse(struct mx_slice text, struct sync_token *ret_token, struct mx_error *err)
{
	struct mx_slice rest = text, position;
	struct sync_token token;

	if (text.len < 1 || text.len > SYNC_TOKEN_MAX || text.ptr[0] != 's')
		return mx_fail(err, MX_INVALID_PARAM, "That is no token of /sync");
	rest = mx_slice_of(text.ptr + 1, text.len - 1);
	mx_split_next(&rest, '_', &position);
	if (!rest.ptr || !number_parse(position, &token.position) ||
	    !number_parse(rest, &token.tick))
		return mx_fail(err, MX_INVALID_PARAM, "That is no token of /sync");
	*ret_token = token;
	return 0;
}
