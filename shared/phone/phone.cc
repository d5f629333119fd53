#include "shared/phone/phone.h"

#include <phonenumbers/phonenumber.pb.h>
#include <phonenumbers/phonenumberutil.h>

#include <cstdio>
#include <cstring>
#include <set>
#include <string>

using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;

namespace
{

const size_t text_max = 250; /* what the library itself refuses to look at */

const PhoneNumberUtil &util()
{
	return *PhoneNumberUtil::GetInstance();
}

/* E.164 leaves no room for an extension, and a text message cannot dial one. */
bool is_usable(const PhoneNumber &number)
{
	return !number.has_extension() && util().IsPossibleNumber(number);
}

bool type_costs_extra(PhoneNumberUtil::PhoneNumberType type)
{
	switch (type) {
	case PhoneNumberUtil::PREMIUM_RATE:
	case PhoneNumberUtil::SHARED_COST:
	case PhoneNumberUtil::PERSONAL_NUMBER:
	case PhoneNumberUtil::UAN: return true;
	default: /* the library adds types */ return false;
	}
}

bool may_be_mobile(PhoneNumberUtil::PhoneNumberType type)
{
	return type == PhoneNumberUtil::MOBILE || type == PhoneNumberUtil::FIXED_LINE_OR_MOBILE ||
	       type == PhoneNumberUtil::PAGER || type == PhoneNumberUtil::UNKNOWN;
}

bool copy(const std::string &text, char *out, size_t size)
{
	if (text.size() >= size)
		return false;
	std::memcpy(out, text.c_str(), text.size() + 1);
	return true;
}

/* "001" and the like are the library's way to say: of no country. Numbers that are possible but
 * not in use belong to the calling code's main country. */
void copy_region(const PhoneNumber &number, struct phone *phone)
{
	std::string region;

	util().GetRegionCodeForNumber(number, &region);
	if (region == "ZZ")
		util().GetRegionCodeForCountryCode(number.country_code(), &region);
	if (region.size() == 2 && region != "ZZ")
		copy(region, phone->region, sizeof(phone->region));
}

bool describe(const PhoneNumber &number, struct phone *ret_phone)
{
	PhoneNumberUtil::PhoneNumberType type = util().GetNumberType(number);
	struct phone phone = {};
	std::string e164, display;

	util().Format(number, PhoneNumberUtil::E164, &e164);
	util().Format(number, PhoneNumberUtil::INTERNATIONAL, &display);
	if (e164.empty() || !copy(e164.substr(1), phone.msisdn, sizeof(phone.msisdn)) ||
	    !copy(display, phone.display, sizeof(phone.display)))
		return false;
	copy_region(number, &phone);
	phone.calling_code = number.country_code();
	phone.is_premium = type_costs_extra(type);
	phone.is_mobile = may_be_mobile(type);
	*ret_phone = phone;
	return true;
}

/* What is stored must be what is called later: leading zeros may be counted differently when the
 * library reads what it wrote. */
bool stands_for_itself(const char *msisdn)
{
	const std::string text = std::string("+") + msisdn;
	PhoneNumber number;
	std::string again;

	if (util().Parse(text, "ZZ", &number) != PhoneNumberUtil::NO_PARSING_ERROR ||
	    !is_usable(number))
		return false;
	util().Format(number, PhoneNumberUtil::E164, &again);
	return again == text;
}

bool parse(const std::string &text, const char *country, struct phone *ret_phone)
{
	struct phone phone = {};
	PhoneNumber number;

	if (util().Parse(text, country, &number) != PhoneNumberUtil::NO_PARSING_ERROR ||
	    !is_usable(number) || !describe(number, &phone) || !stands_for_itself(phone.msisdn))
		return false;
	*ret_phone = phone;
	return true;
}

} /* namespace */

bool phone_is_country(const char *country)
{
	static const std::set<std::string> *const countries = [] {
		auto *known = new std::set<std::string>;

		util().GetSupportedRegions(known);
		return known;
	}();

	return countries->count(country) == 1;
}

/* People copy whole numbers without the '+' too: tried when the country's own reading fails. */
bool phone_parse(const char *text, const char *country, struct phone *ret_phone)
{
	if (std::strlen(text) > text_max || !phone_is_country(country))
		return false;
	return parse(text, country, ret_phone) ||
	       parse("+" + std::string(text), country, ret_phone);
}

bool phone_of_msisdn(const char *msisdn, struct phone *ret_phone)
{
	struct phone phone = {};

	if (*msisdn == '\0' || std::strlen(msisdn) > PHONE_DIGITS_MAX ||
	    std::strspn(msisdn, "0123456789") != std::strlen(msisdn))
		return false;
	if (!parse("+" + std::string(msisdn), "ZZ", &phone) || std::strcmp(phone.msisdn, msisdn))
		return false;
	*ret_phone = phone;
	return true;
}
