#include "shared/core/rand.h"

#include <sodium.h>

void mx_random_bytes(void *ret_bytes, size_t len)
{
	randombytes_buf(ret_bytes, len);
}

uint32_t mx_random_below(uint32_t bound)
{
	return randombytes_uniform(bound);
}

void mx_random_token(char *ret_text, size_t len)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

	for (size_t i = 0; i < len; i++)
		ret_text[i] = alphabet[mx_random_below(sizeof(alphabet) - 1)];
	ret_text[len] = '\0';
}

int64_t mx_jitter(int64_t value, unsigned percent)
{
	int64_t span = value / 100 * percent;

	if (span <= 0)
		return value;
	if (span > INT32_MAX / 2)
		span = INT32_MAX / 2;
	return value - span + mx_random_below((uint32_t)(2 * span + 1));
}
