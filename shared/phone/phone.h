/* Phone numbers, by libphonenumber. Spec: appendices, "3PID Types": "m.id.phone", E.164. */
#pragma once

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PHONE_DIGITS_MAX 15

struct phone {
	char msisdn[PHONE_DIGITS_MAX + 1]; /* E.164 without '+': the canonical form */
	char display[40]; /* "+44 7700 900001" */
	char region[3]; /* "GB": where the number belongs; "" for world-wide services */
	int calling_code; /* 44 */
	bool is_premium; /* premium rate, shared cost, personal or unknown service numbers */
	bool is_mobile; /* can get a text message, as far as its plan tells */
};

/* text as people write it, seen from `country` (two capital letters). False for a country that
 * does not exist, anything that is no possible number, and numbers with an extension. */
bool phone_parse(const char *text, const char *country, struct phone *ret_phone);

/* The same for a canonical form. */
bool phone_of_msisdn(const char *msisdn, struct phone *ret_phone);

bool phone_is_country(const char *country);

#ifdef __cplusplus
}
#endif
