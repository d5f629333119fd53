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

/* Of both alphabets, plus one; a table, because comparing random letters is a guess each time. */
static const uint8_t values[256] = {
	['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,
	['H'] = 8,  ['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14,
	['O'] = 15, ['P'] = 16, ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21,
	['V'] = 22, ['W'] = 23, ['X'] = 24, ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28,
	['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32, ['g'] = 33, ['h'] = 34, ['i'] = 35,
	['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40, ['o'] = 41, ['p'] = 42,
	['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48, ['w'] = 49,
	['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
	['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['+'] = 63,
	['/'] = 64, ['-'] = 63, ['_'] = 64,
};

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
		uint8_t value = values[(uint8_t)in.ptr[i]];

		if (value == 0)
			return false;
		bits = bits << 6 | (value - 1u);
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
