#include "shared/core/base64.h"

static const char standard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url_safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void add(struct mx_str *str, const uint8_t *in, size_t len, const char *alphabet)
{
	mx_str_reserve(str, len / 3 * 4 + 4);
	for (size_t i = 0; i < len; i += 3) {
		size_t left = len - i;
		uint32_t bits = (uint32_t)in[i] << 16;
		char out[4];

		if (left > 1)
			bits |= (uint32_t)in[i + 1] << 8;
		if (left > 2)
			bits |= in[i + 2];
		for (int j = 0; j < 4; j++)
			out[j] = alphabet[bits >> (18 - 6 * j) & 63];
		mx_str_add(str, out, left > 2 ? 4 : left + 1);
	}
}

void mx_base64_add(struct mx_str *str, const void *bytes, size_t len)
{
	add(str, bytes, len, standard);
}

void mx_base64url_add(struct mx_str *str, const void *bytes, size_t len)
{
	add(str, bytes, len, url_safe);
}

static int value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+' || c == '-')
		return 62;
	if (c == '/' || c == '_')
		return 63;
	return -1;
}

static struct mx_slice without_padding(struct mx_slice text)
{
	if (text.len % 4)
		return text;
	for (int i = 0; i < 2 && text.len && text.ptr[text.len - 1] == '='; i++)
		text.len--;
	return text;
}

bool mx_base64_decode(struct mx_slice text, void *ret_bytes, size_t max, size_t *ret_len)
{
	struct mx_slice in = without_padding(text);
	size_t len = in.len / 4 * 3 + (in.len % 4 ? in.len % 4 - 1 : 0);
	uint8_t *out = ret_bytes;
	uint32_t bits = 0;
	size_t done = 0;

	if (in.len % 4 == 1 || len > max)
		return false;
	for (size_t i = 0; i < in.len; i++) {
		int value = value_of(in.ptr[i]);

		if (value < 0)
			return false;
		bits = bits << 6 | (uint32_t)value;
		if (i % 4)
			out[done++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
	}
	*ret_len = len;
	return true;
}

bool mx_base64_decode_exact(struct mx_slice text, void *ret_bytes, size_t len)
{
	size_t got;

	return mx_base64_decode(text, ret_bytes, len, &got) && got == len;
}
