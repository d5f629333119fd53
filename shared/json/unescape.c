#include "shared/json/unescape.h"

#include "shared/core/hex.h"
#include "shared/core/utf8.h"

int mx_json_hex4(const char digits[4])
{
	int value = 0;

	for (int i = 0; i < 4; i++) {
		int digit = mx_hex_digit(digits[i]);

		if (digit < 0)
			return -1;
		value = value * 16 + digit;
	}
	return value;
}

static char simple_escape(char c)
{
	switch (c) {
	case 'b': return '\b';
	case 'f': return '\f';
	case 'n': return '\n';
	case 'r': return '\r';
	case 't': return '\t';
	default: return c;
	}
}

/* At the digits behind "\u"; returns how many bytes of text they and a second half take. */
static size_t code_point_read(const char *digits, uint32_t *ret_code_point)
{
	uint32_t high = (uint32_t)mx_json_hex4(digits), low;

	*ret_code_point = high;
	if (high < 0xD800 || high > 0xDBFF)
		return 4;
	low = (uint32_t)mx_json_hex4(digits + 6);
	*ret_code_point = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
	return 10;
}

size_t mx_json_unescape(struct mx_slice raw, char *ret_bytes)
{
	const char *at = raw.ptr, *end = raw.ptr + raw.len;
	char *to = ret_bytes;

	while (at < end) {
		const char *backslash = memchr(at, '\\', (size_t)(end - at));
		size_t run = (size_t)((backslash ? backslash : end) - at);
		uint32_t code_point;

		memcpy(to, at, run);
		to += run;
		at += run;
		if (at == end)
			break;
		at += 2;
		if (at[-1] == 'u') {
			at += code_point_read(at, &code_point);
			to += mx_utf8_encode(code_point, to);
		} else {
			*to++ = simple_escape(at[-1]);
		}
	}
	return (size_t)(to - ret_bytes);
}
