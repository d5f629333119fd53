#include "shared/mail/address.h"

#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/utf8.h"

#include <idn2.h>
#include <unicase.h>
#include <unictype.h>
#include <unistr.h>

static int refuse(struct mx_error *err, const char *why)
{
	return mx_fail(err, MX_INVALID_EMAIL, "The e-mail address is not valid: %s", why);
}

/* RFC 5322, 3.2.3 */
static bool is_atom_byte(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

/* RFC 6531 lets any character in; what nobody can see or what turns the text around stays out. */
static bool is_visible(ucs4_t c)
{
	return !uc_is_general_category_withtable(c, UC_CATEGORY_MASK_C | UC_CATEGORY_MASK_Z);
}

static int check_local(struct mx_slice local, struct mx_error *err, bool *ret_ascii)
{
	const uint8_t *at = (const uint8_t *)local.ptr;
	const uint8_t *end = at + local.len;
	char before = '.';

	*ret_ascii = true;
	if (local.len == 0 || local.len > MAIL_LOCAL_MAX)
		return refuse(err, "the part before the @ is empty or too long");
	while (at < end) {
		ucs4_t c;

		at += u8_mbtouc(&c, at, (size_t)(end - at));
		if (c == '.' ? before == '.' : c < 0x80 && !is_atom_byte((unsigned char)c))
			return refuse(err, "a character before the @ has no place there");
		if (c >= 0x80 && !is_visible(c))
			return refuse(err, "an invisible character before the @");
		*ret_ascii &= c < 0x80;
		before = c == '.' ? '.' : 'x';
	}
	return before == '.' ? refuse(err, "a dot just before the @") : 0;
}

static bool is_label(struct mx_slice label)
{
	if (label.len == 0 || label.len > 63 || label.ptr[0] == '-' ||
	    label.ptr[label.len - 1] == '-')
		return false;
	for (size_t i = 0; i < label.len; i++) {
		char c = label.ptr[i];

		if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') && c != '-')
			return false;
	}
	return true;
}

/* A name of at least two labels; the last one is no number, so it is no address either. */
static bool is_domain(const char *name)
{
	struct mx_slice rest = mx_slice(name), label, last = { 0 };
	size_t labels = 0;

	while (mx_split_next(&rest, '.', &label)) {
		if (!is_label(label))
			return false;
		last = label;
		labels++;
	}
	return labels >= 2 && strspn(last.ptr, "0123456789") < last.len;
}

/* To A-labels in lower case; NULL if it is no domain. */
static char *domain_of(struct mx_slice text)
{
	mx_autofree char *name = mx_strndup(text.ptr, text.len);
	char *ascii = NULL, *domain = NULL;

	if (idn2_to_ascii_8z(name, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) == IDN2_OK &&
	    is_domain(ascii))
		domain = mx_strdup(ascii);
	idn2_free(ascii);
	return domain;
}

/* Full case folding, and nothing else: neither normalisation nor what some provider ignores. */
static char *fold(struct mx_slice text)
{
	size_t len = 0;
	uint8_t *folded = u8_casefold((const uint8_t *)text.ptr, text.len, NULL, NULL, NULL, &len);
	char *copy;

	if (!folded)
		return NULL;
	copy = mx_strndup((const char *)folded, len);
	free(folded);
	return copy;
}

/* Where the one @ is; NULL if there is none or another one. */
static const char *find_at(struct mx_slice text)
{
	const char *at = memchr(text.ptr, '@', text.len);

	if (!at || memchr(at + 1, '@', text.len - (size_t)(at + 1 - text.ptr)))
		return NULL;
	return at;
}

int mail_address_parse(struct mx_slice text, struct mail_address *ret_address, struct mx_error *err)
{
	struct mail_address address = { 0 };
	struct mx_slice local, domain;
	bool is_ascii;
	const char *at;
	int rc;

	if (text.len > MAIL_ADDRESS_MAX)
		return refuse(err, "it is too long");
	if (!mx_utf8_valid(text) || memchr(text.ptr, 0, text.len) || !(at = find_at(text)))
		return refuse(err, "there must be one @");
	local = mx_slice_of(text.ptr, (size_t)(at - text.ptr));
	domain = mx_slice_of(at + 1, text.len - local.len - 1);
	rc = check_local(local, err, &is_ascii);
	if (rc)
		return rc;
	address.domain = domain_of(domain);
	if (!address.domain)
		return refuse(err, "the part after the @ is no domain");
	address.needs_utf8 = !is_ascii;
	address.folded = fold(text);
	address.envelope = mx_strf("%.*s@%s", MX_SLICE_ARG(local), address.domain);
	if (!address.folded || strlen(address.envelope) > MAIL_ADDRESS_MAX ||
	    strlen(address.folded) > MAIL_ADDRESS_MAX) {
		mail_address_done(&address);
		return refuse(err, "it is too long");
	}
	*ret_address = address;
	return 0;
}

void mail_address_done(struct mail_address *address)
{
	mx_free(address->folded);
	mx_free(address->envelope);
	mx_free(address->domain);
	*address = (struct mail_address){ 0 };
}
