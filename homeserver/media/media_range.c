#include "homeserver/media/media_range.h"

#include "shared/core/str.h"

#include <stddef.h>

#define UNIT "bytes="

/* Absent: true, with *ret_has false. */
static bool read_number(struct mx_slice text, bool *ret_has, uint64_t *ret_number)
{
	int64_t number = 0;

	text = mx_trim(text);
	*ret_has = text.len > 0;
	if (!*ret_has)
		return true;
	if (!mx_parse_i64(text, &number) || number < 0 || text.ptr[0] == '-')
		return false;
	*ret_number = (uint64_t)number;
	return true;
}

/* "-500": the last ones. */
static enum range_want last_ones(uint64_t count, uint64_t size, uint64_t *ret_from,
				 uint64_t *ret_len)
{
	if (count == 0 || size == 0)
		return RANGE_WRONG;
	*ret_len = count < size ? count : size;
	*ret_from = size - *ret_len;
	return RANGE_PART;
}

enum range_want media_range_parse(const char *header, uint64_t size, uint64_t *ret_from,
				  uint64_t *ret_len)
{
	struct mx_slice first, last;
	uint64_t from = 0, to = 0;
	bool has_from, has_to;
	const char *minus;

	if (!header || !mx_starts_with(header, UNIT) || strchr(header, ','))
		return RANGE_WHOLE;
	header += strlen(UNIT);
	minus = strchr(header, '-');
	if (!minus)
		return RANGE_WRONG;
	first = mx_slice_of(header, (size_t)(minus - header));
	last = mx_slice(minus + 1);
	if (!read_number(first, &has_from, &from) || !read_number(last, &has_to, &to))
		return RANGE_WRONG;
	if (!has_from)
		return has_to ? last_ones(to, size, ret_from, ret_len) : RANGE_WRONG;
	if (from >= size || (has_to && to < from))
		return RANGE_WRONG;
	if (!has_to || to >= size)
		to = size - 1;
	*ret_from = from;
	*ret_len = to - from + 1;
	return RANGE_PART;
}
