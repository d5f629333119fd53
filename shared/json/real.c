#include "shared/json/real.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define DIGITS_MAX 17 /* tell any two doubles apart */

/* From here on, and below 1e-4, repr() writes an exponent. */
#define FIXED_BELOW 16
#define FIXED_FROM  -4

#define LEXEME_MAX 512

struct decimal {
	bool negative;
	char digits[DIGITS_MAX + 1];
	int len;
	int exponent; /* of the first digit */
};

static bool read_double(struct mx_slice lexeme, double *ret_value)
{
	char text[LEXEME_MAX];

	if (lexeme.len >= sizeof(text))
		return false;
	memcpy(text, lexeme.ptr, lexeme.len);
	text[lexeme.len] = '\0';
	*ret_value = strtod(text, NULL);
	return isfinite(*ret_value);
}

/* "-1.2345e+06", with as few digits as tell the number from its neighbours. */
static void shortest(double value, char ret_text[MX_REAL_TEXT])
{
	for (int digits = 0; digits < DIGITS_MAX; digits++) {
		snprintf(ret_text, MX_REAL_TEXT, "%.*e", digits, value);
		if (strtod(ret_text, NULL) == value)
			return;
	}
}

static struct decimal split(const char *text)
{
	struct decimal decimal = { .negative = *text == '-' };
	const char *at = text + decimal.negative;

	for (; *at != 'e'; at++)
		if (*at != '.')
			decimal.digits[decimal.len++] = *at;
	decimal.exponent = (int)strtol(at + 1, NULL, 10);
	return decimal;
}

static void format_exponent(const struct decimal *decimal, const char *sign, char *ret_text)
{
	const char *rest = decimal->digits + 1;

	snprintf(ret_text, MX_REAL_TEXT, "%s%c%s%se%c%02d", sign, decimal->digits[0],
		 *rest ? "." : "", rest, decimal->exponent < 0 ? '-' : '+', abs(decimal->exponent));
}

static void format_fixed(const struct decimal *decimal, const char *sign, char *ret_text)
{
	static const char zeros[] = "0000000000000000";
	int before = decimal->exponent + 1;

	if (before <= 0)
		snprintf(ret_text, MX_REAL_TEXT, "%s0.%.*s%s", sign, -before, zeros,
			 decimal->digits);
	else if (decimal->len > before)
		snprintf(ret_text, MX_REAL_TEXT, "%s%.*s.%s", sign, before, decimal->digits,
			 decimal->digits + before);
	else
		snprintf(ret_text, MX_REAL_TEXT, "%s%s%.*s.0", sign, decimal->digits,
			 before - decimal->len, zeros);
}

bool mx_real_format(struct mx_slice lexeme, char ret_text[MX_REAL_TEXT])
{
	char text[MX_REAL_TEXT];
	struct decimal decimal;
	double value;

	if (!read_double(lexeme, &value))
		return false;
	shortest(value, text);
	decimal = split(text);
	if (decimal.exponent >= FIXED_FROM && decimal.exponent < FIXED_BELOW)
		format_fixed(&decimal, decimal.negative ? "-" : "", ret_text);
	else
		format_exponent(&decimal, decimal.negative ? "-" : "", ret_text);
	return true;
}
