/* E-mail addresses: what is accepted is one address on one line, in whatever form it is kept, and
 * folding and reading it again change nothing more. */
#include "tests/fuzz/fuzz.h"

#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/utf8.h"
#include "shared/mail/address.h"

static unsigned count(const char *text, char c)
{
	unsigned found = 0;

	for (; *text; text++)
		found += *text == c;
	return found;
}

static void is_one_address(const char *text)
{
	FUZZ_ASSERT(strlen(text) <= MAIL_ADDRESS_MAX && mx_utf8_valid(mx_slice(text)));
	FUZZ_ASSERT(count(text, '@') == 1);
	for (const char *at = text; *at; at++)
		FUZZ_ASSERT((unsigned char)*at > ' ' && *at != 0x7f &&
			    !strchr("<>()[]\\,;:\"", *at));
}

static void domain_is_a_name(const struct mail_address *address)
{
	const char *domain = address->domain;

	FUZZ_ASSERT(strchr(domain, '.') && *domain != '.');
	FUZZ_ASSERT(strspn(domain, "abcdefghijklmnopqrstuvwxyz0123456789-.") == strlen(domain));
	FUZZ_ASSERT(streq(strchr(address->envelope, '@') + 1, domain));
}

/* Folding may lengthen a local part beyond what is accepted. */
static void folded_stays_folded(const char *folded)
{
	struct mail_address again;

	if (mail_address_parse(mx_slice(folded), &again, NULL))
		return;
	FUZZ_ASSERT(streq(again.folded, folded));
	mail_address_done(&again);
}

static void envelope_is_read_the_same(const struct mail_address *address)
{
	struct mail_address again;

	FUZZ_ASSERT(mail_address_parse(mx_slice(address->envelope), &again, NULL) == 0);
	FUZZ_ASSERT(streq(again.envelope, address->envelope));
	FUZZ_ASSERT(streq(again.domain, address->domain));
	FUZZ_ASSERT(again.needs_utf8 == address->needs_utf8);
	mail_address_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mx_slice text = mx_slice_of(size ? (const char *)data : "", size);
	struct mail_address address = { 0 };
	struct mx_error err = { 0 };
	int rc = mail_address_parse(text, &address, &err);

	FUZZ_ASSERT(rc == 0 || (rc == -MX_INVALID_EMAIL && err.text[0] && !address.folded));
	if (rc)
		return 0;
	is_one_address(address.folded);
	is_one_address(address.envelope);
	domain_is_a_name(&address);
	folded_stays_folded(address.folded);
	envelope_is_read_the_same(&address);
	mail_address_done(&address);
	return 0;
}
