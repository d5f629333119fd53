#include "shared/threepid/threepid.h"

#include "shared/core/arena.h"
#include "shared/core/base64.h"
#include "shared/core/error.h"
#include "shared/core/rand.h"
#include "shared/core/str.h"
#include "shared/crypto/sha256.h"
#include "shared/mail/address.h"
#include "shared/phone/phone.h"

#include <pthread.h>

#define ALIAS_BYTES 9
/* Digits with the marks that people put between them. */
#define SPELLING_MAX 40

static int parse_email(const char *address, struct mx_arena *mem, struct threepid *ret_threepid,
		       struct mx_error *err)
{
	struct mail_address parsed;
	int rc = mail_address_parse(mx_slice(address), &parsed, err);

	if (rc)
		return rc;
	/* Folding may lengthen: "ß" becomes "ss". */
	if (strlen(parsed.folded) > THREEPID_ADDRESS_MAX)
		rc = mx_fail(err, MX_INVALID_EMAIL, "The e-mail address is too long");
	else
		*ret_threepid = (struct threepid){ "email", mx_arena_strdup(mem, parsed.folded) };
	mail_address_done(&parsed);
	return rc;
}

/* "+44 7700 900001" to "447700900001"; false for anything else that is not digits. */
static bool strip_marks(const char *address, char ret_digits[SPELLING_MAX])
{
	size_t len = 0;

	if (address[0] == '+')
		address++;
	for (; *address; address++) {
		if (strchr(" -.()", *address))
			continue;
		if (*address < '0' || *address > '9' || len + 1 == SPELLING_MAX)
			return false;
		ret_digits[len++] = *address;
	}
	ret_digits[len] = '\0';
	return len > 0;
}

static int parse_msisdn(const char *address, struct mx_arena *mem, struct threepid *ret_threepid,
			struct mx_error *err)
{
	char digits[SPELLING_MAX];
	struct phone phone;

	if (!strip_marks(address, digits) || !phone_of_msisdn(digits, &phone))
		return mx_fail(err, MX_INVALID_ADDRESS, "The phone number is not valid");
	*ret_threepid = (struct threepid){ "msisdn", mx_arena_strdup(mem, phone.msisdn) };
	return 0;
}

int threepid_parse(const char *medium, const char *address, struct mx_arena *mem,
		   struct threepid *ret_threepid, struct mx_error *err)
{
	if (streq(medium, "email"))
		return parse_email(address, mem, ret_threepid, err);
	if (streq(medium, "msisdn"))
		return parse_msisdn(address, mem, ret_threepid, err);
	return mx_fail(err, MX_INVALID_PARAM, "The medium must be email or msisdn");
}

bool threepid_same(const struct threepid *a, const struct threepid *b)
{
	return streq(a->medium, b->medium) && streq(a->address, b->address);
}

/* One key for the whole process, so that all its log lines tell of the same person alike; nobody
 * can make the alias of a guessed address afterwards. */
static uint8_t alias_key[MX_SHA256_LEN];

static void make_alias_key(void)
{
	mx_random_bytes(alias_key, sizeof(alias_key));
}

void threepid_alias(const struct threepid *threepid, char ret_alias[13])
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	uint8_t digest[MX_SHA256_LEN];
	mx_str_auto text = { 0 };
	mx_str_auto alias = { 0 };

	pthread_once(&once, make_alias_key);
	mx_str_add(&text, alias_key, sizeof(alias_key));
	mx_str_add_text(&text, threepid->medium);
	mx_str_add_char(&text, ' ');
	mx_str_add_text(&text, threepid->address);
	mx_sha256(mx_str_slice(&text), digest);
	mx_base64url_add(&alias, digest, ALIAS_BYTES);
	memcpy(ret_alias, alias.ptr, 13);
}
