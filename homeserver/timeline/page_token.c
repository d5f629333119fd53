#include "homeserver/timeline/page_token.h"

#include "homeserver/json_out.h"
#include "shared/core/error.h"
#include "shared/core/str.h"

#include <inttypes.h>

void page_token_add(struct mx_str *out, struct topo_place place)
{
	mx_str_addf(out, "t%" PRId64 "_%" PRId64, place.depth, place.rseq);
}

void page_token_write(struct mx_str *out, const char *key, struct topo_place place)
{
	json_key(out, key);
	mx_str_add_char(out, '"');
	page_token_add(out, place);
	mx_str_add_char(out, '"');
}

/* Digits as they are written here: no leading zeros. */
static bool number_parse(struct mx_slice text, int64_t *ret_number)
{
	size_t sign = text.len && text.ptr[0] == '-';

	if (text.len > sign + 1 && text.ptr[sign] == '0')
		return false;
	if (!mx_parse_i64(text, ret_number))
		return false;
	return !(sign && *ret_number == 0);
}

int page_token_parse(struct mx_slice text, struct topo_place *ret_place, struct mx_error *err)
{
	struct mx_slice rest = text, depth;
	struct topo_place place;

	if (text.len < 1 || text.len > PAGE_TOKEN_MAX || text.ptr[0] != 't')
		return mx_fail(err, MX_INVALID_PARAM, "That is no token of this server");
	rest = mx_slice_of(text.ptr + 1, text.len - 1);
	mx_split_next(&rest, '_', &depth);
	if (!rest.ptr || !number_parse(depth, &place.depth) || !number_parse(rest, &place.rseq))
		return mx_fail(err, MX_INVALID_PARAM, "That is no token of this server");
	*ret_place = place;
	return 0;
}
