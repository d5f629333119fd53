#include "shared/core/utf8.h"

static bool in_range(char byte, unsigned char low, unsigned char high)
{
	return (unsigned char)byte >= low && (unsigned char)byte <= high;
}

static bool is_continuation(char byte)
{
	return in_range(byte, 0x80, 0xBF);
}

/* Unicode 15, table 3-7: which second bytes each lead byte allows. */
static bool second_fits(unsigned char lead, char second)
{
	switch (lead) {
	case 0xE0: return in_range(second, 0xA0, 0xBF);
	case 0xED: return in_range(second, 0x80, 0x9F);
	case 0xF0: return in_range(second, 0x90, 0xBF);
	case 0xF4: return in_range(second, 0x80, 0x8F);
	default: return is_continuation(second);
	}
}

static size_t length_of(unsigned char lead)
{
	if (lead < 0x80)
		return 1;
	if (lead >= 0xC2 && lead <= 0xDF)
		return 2;
	if (lead >= 0xE0 && lead <= 0xEF)
		return 3;
	if (lead >= 0xF0 && lead <= 0xF4)
		return 4;
	return 0;
}

size_t mx_utf8_step(struct mx_slice text)
{
	unsigned char lead;
	size_t len;

	if (!text.len)
		return 0;
	lead = (unsigned char)text.ptr[0];
	len = length_of(lead);
	if (len == 0 || len > text.len)
		return 0;
	if (len > 1 && !second_fits(lead, text.ptr[1]))
		return 0;
	for (size_t i = 2; i < len; i++)
		if (!is_continuation(text.ptr[i]))
			return 0;
	return len;
}

bool mx_utf8_valid(struct mx_slice text)
{
	while (text.len) {
		size_t len = mx_utf8_step(text);

		if (!len)
			return false;
		text.ptr += len;
		text.len -= len;
	}
	return true;
}

size_t mx_utf8_count(struct mx_slice text)
{
	size_t count = 0;

	for (size_t i = 0; i < text.len; i++)
		count += !is_continuation(text.ptr[i]);
	return count;
}

size_t mx_utf8_encode(uint32_t code_point, char ret_bytes[4])
{
	if (code_point < 0x80) {
		ret_bytes[0] = (char)code_point;
		return 1;
	}
	if (code_point < 0x800) {
		ret_bytes[0] = (char)(0xC0 | code_point >> 6);
		ret_bytes[1] = (char)(0x80 | (code_point & 0x3F));
		return 2;
	}
	if (code_point < 0x10000) {
		ret_bytes[0] = (char)(0xE0 | code_point >> 12);
		ret_bytes[1] = (char)(0x80 | (code_point >> 6 & 0x3F));
		ret_bytes[2] = (char)(0x80 | (code_point & 0x3F));
		return 3;
	}
	ret_bytes[0] = (char)(0xF0 | code_point >> 18);
	ret_bytes[1] = (char)(0x80 | (code_point >> 12 & 0x3F));
	ret_bytes[2] = (char)(0x80 | (code_point >> 6 & 0x3F));
	ret_bytes[3] = (char)(0x80 | (code_point & 0x3F));
	return 4;
}
