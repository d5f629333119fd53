/* A phone number as somebody types it, behind the two letters of a country: what is accepted is
 * digits that stand for themselves, in this and in every other country. */
#include "tests/fuzz/fuzz.h"

#include "shared/core/alloc.h"
#include "shared/core/str.h"
#include "shared/phone/phone.h"

static void number_is_canonical(const struct phone *phone)
{
	mx_autofree char *whole = mx_strf("+%s", phone->msisdn);
	struct phone again = { 0 };

	FUZZ_ASSERT(phone->msisdn[0] && phone->msisdn[0] != '0');
	FUZZ_ASSERT(strspn(phone->msisdn, "0123456789") == strlen(phone->msisdn));
	FUZZ_ASSERT(phone->calling_code > 0 && phone->display[0] == '+');
	FUZZ_ASSERT(!*phone->region || phone_is_country(phone->region));
	FUZZ_ASSERT(phone_of_msisdn(phone->msisdn, &again));
	FUZZ_ASSERT(streq(again.msisdn, phone->msisdn) && streq(again.region, phone->region));
	FUZZ_ASSERT(phone_parse(whole, "FR", &again) && streq(again.msisdn, phone->msisdn));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mx_autofree char *country = NULL, *text = NULL;
	struct phone phone = { 0 };

	if (size < 2)
		return 0;
	country = mx_strndup((const char *)data, 2);
	text = mx_strndup((const char *)data + 2, size - 2);
	if (phone_parse(text, country, &phone))
		number_is_canonical(&phone);
	return 0;
}
