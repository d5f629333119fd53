#include "shared/crypto/keyfile_text.h"

#include "shared/core/alloc.h"
#include "shared/core/base64.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/crypto/keyfile.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>

#define ALGORITHM      "ed25519"
#define ID_PREFIX      ALGORITHM ":"
#define VERSION_MAX    128
#define FIELDS_MAX     4
#define SEED_HEX_LEN   (2 * MX_ED25519_SEED_LEN)
#define TIMESTAMP_MAX  (INT64_C(9007199254740991)) /* Spec: integers of canonical JSON */
#define SYDENT_OPTION  "ed25519.signingkey"
#define SYDENT_VERSION "0"
#define PEM_BEGIN      "-----BEGIN MATRIX PRIVATE KEY-----"
#define PEM_END        "-----END MATRIX PRIVATE KEY-----"
#define PEM_KEY_ID     "Key-ID:"

/* One pass over a file. */
struct reader {
	struct mx_slice rest;
	unsigned line;
	struct mx_keyring *ring;
	struct mx_error *err;
};

static int fail(const struct reader *reader, const char *reason)
{
	return mx_fail(reader->err, MX_BAD_KEY, "line %u: %s", reader->line, reason);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static struct mx_slice trimmed(struct mx_slice text)
{
	while (text.len && is_blank(text.ptr[0]))
		text = mx_slice_of(text.ptr + 1, text.len - 1);
	while (text.len && is_blank(text.ptr[text.len - 1]))
		text.len--;
	return text;
}

static bool line_next(struct reader *reader, struct mx_slice *ret_line)
{
	struct mx_slice line;

	if (!mx_split_next(&reader->rest, '\n', &line))
		return false;
	reader->line++;
	*ret_line = trimmed(line);
	return true;
}

static bool starts_with(struct mx_slice text, const char *prefix)
{
	size_t len = strlen(prefix);

	return text.len >= len && memcmp(text.ptr, prefix, len) == 0;
}

static struct mx_slice behind(struct mx_slice text, size_t len)
{
	return trimmed(mx_slice_of(text.ptr + len, text.len - len));
}

/* Fields between blanks; FIELDS_MAX + 1 if there are more. */
static size_t split_fields(struct mx_slice line, struct mx_slice ret_fields[FIELDS_MAX])
{
	size_t len = 0;

	for (size_t i = 0; i < line.len; i++) {
		if (is_blank(line.ptr[i]))
			continue;
		if (i == 0 || is_blank(line.ptr[i - 1])) {
			if (len == FIELDS_MAX)
				return FIELDS_MAX + 1;
			ret_fields[len++] = mx_slice_of(line.ptr + i, 0);
		}
		ret_fields[len - 1].len++;
	}
	return len;
}

/* More than the [A-Za-z0-9_] of the specification: what already signs must go on signing. But
 * nothing that would have to be escaped somewhere. */
static bool version_ok(struct mx_slice version)
{
	if (version.len == 0 || version.len > VERSION_MAX)
		return false;
	for (size_t i = 0; i < version.len; i++) {
		char c = version.ptr[i];

		if (c <= ' ' || c >= 0x7f || c == '"' || c == '\\' || c == ':')
			return false;
	}
	return true;
}

static char *id_of(struct mx_slice version)
{
	return mx_strf(ID_PREFIX "%.*s", MX_SLICE_ARG(version));
}

static bool ring_has(const struct mx_keyring *ring, const char *id)
{
	for (size_t i = 0; i < ring->len; i++) {
		if (streq(mx_signing_key_id(ring->keys[i]), id))
			return true;
	}
	for (size_t i = 0; i < ring->old_len; i++) {
		if (streq(ring->old[i].id, id))
			return true;
	}
	return false;
}

static int check_room_for(const struct reader *reader, const char *id)
{
	const struct mx_keyring *ring = reader->ring;

	if (ring->len + ring->old_len >= MX_KEYFILE_KEYS_MAX)
		return fail(reader, "too many keys");
	if (ring_has(ring, id))
		return fail(reader, "this key id is there twice");
	return 0;
}

static int add_key(struct reader *reader, struct mx_slice version,
		   const uint8_t seed[MX_ED25519_SEED_LEN])
{
	mx_autofree char *id = NULL;
	int rc;

	if (!version_ok(version))
		return fail(reader, "the version of the key is not usable");
	id = id_of(version);
	rc = check_room_for(reader, id);
	if (rc == 0)
		mx_keyring_add(reader->ring, mx_signing_key_new(id, seed));
	return rc;
}

static int add_base64_key(struct reader *reader, struct mx_slice version, struct mx_slice text)
{
	uint8_t seed[MX_ED25519_SEED_LEN];
	int rc;

	if (!mx_base64_decode_exact(text, seed, sizeof(seed)))
		rc = fail(reader, "the seed is not base64 of 32 bytes");
	else
		rc = add_key(reader, version, seed);
	sodium_memzero(seed, sizeof(seed));
	return rc;
}

/* The same file must give the same id each time it is read: letters of the public key. */
static void version_from_public(const uint8_t seed[MX_ED25519_SEED_LEN], char ret_version[7])
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	struct mx_signing_key *key = mx_signing_key_new(ID_PREFIX "a_", seed);
	const uint8_t *public_key = mx_signing_key_public(key);

	ret_version[0] = 'a';
	ret_version[1] = '_';
	for (size_t i = 0; i < 4; i++)
		ret_version[2 + i] = letters[public_key[i] % (sizeof(letters) - 1)];
	ret_version[6] = '\0';
	mx_signing_key_free(key);
}

/* 64 hexadecimal digits are Sydent's, base64 an old Synapse's. */
static bool bare_seed_decode(struct mx_slice text, uint8_t ret_seed[MX_ED25519_SEED_LEN],
			     char ret_version[7])
{
	size_t len;

	if (text.len == SEED_HEX_LEN) {
		memcpy(ret_version, SYDENT_VERSION, sizeof(SYDENT_VERSION));
		return sodium_hex2bin(ret_seed, MX_ED25519_SEED_LEN, text.ptr, text.len, NULL, &len,
				      NULL) == 0 &&
		       len == MX_ED25519_SEED_LEN;
	}
	if (!mx_base64_decode_exact(text, ret_seed, MX_ED25519_SEED_LEN))
		return false;
	version_from_public(ret_seed, ret_version);
	return true;
}

static int add_bare_seed(struct reader *reader, struct mx_slice text)
{
	uint8_t seed[MX_ED25519_SEED_LEN];
	char version[7];
	int rc;

	if (bare_seed_decode(text, seed, version))
		rc = add_key(reader, mx_slice(version), seed);
	else
		rc = fail(reader, "neither a key line nor a bare seed");
	sodium_memzero(seed, sizeof(seed));
	return rc;
}

static int add_old_key(struct reader *reader, const struct mx_slice fields[FIELDS_MAX])
{
	struct mx_old_key old;
	int rc;

	if (!version_ok(fields[1]))
		return fail(reader, "the version of the old key is not usable");
	if (!mx_parse_i64(fields[2], &old.expired_ts) || old.expired_ts < 0 ||
	    old.expired_ts > TIMESTAMP_MAX)
		return fail(reader, "the time at which the old key expired is not in milliseconds");
	if (!mx_base64_decode_exact(fields[3], old.public_key, sizeof(old.public_key)) ||
	    !mx_ed25519_public_ok(old.public_key))
		return fail(reader, "the public half of the old key is not usable");
	old.id = id_of(fields[1]);
	rc = check_room_for(reader, old.id);
	if (rc != 0)
		mx_free(old.id);
	else
		mx_keyring_add_old(reader->ring, old);
	return rc;
}

/* A line of Synapse's, or the value of Sydent's option. */
static int add_key_line(struct reader *reader, struct mx_slice line)
{
	struct mx_slice fields[FIELDS_MAX];
	size_t len = split_fields(line, fields);

	if (len == 1)
		return add_bare_seed(reader, fields[0]);
	if (!mx_slice_is(fields[0], ALGORITHM))
		return fail(reader, "the line does not start with " ALGORITHM);
	if (len == 3)
		return add_base64_key(reader, fields[1], fields[2]);
	if (len == FIELDS_MAX)
		return add_old_key(reader, fields);
	return fail(reader, "a key has three fields, an old one four");
}

static int parse_synapse(struct reader *reader)
{
	struct mx_slice line;
	int rc = 0;

	while (rc == 0 && line_next(reader, &line)) {
		if (line.len)
			rc = add_key_line(reader, line);
	}
	return rc;
}

/* Option names are in any case, `=` or `:` follows. */
static bool sydent_value(struct mx_slice line, struct mx_slice *ret_value)
{
	const size_t len = strlen(SYDENT_OPTION);
	struct mx_slice after;

	if (line.len <= len || strncasecmp(line.ptr, SYDENT_OPTION, len) != 0)
		return false;
	after = behind(line, len);
	if (after.len == 0 || (after.ptr[0] != '=' && after.ptr[0] != ':'))
		return false;
	*ret_value = behind(after, 1);
	return true;
}

/* The option of [crypto] goes before that of [DEFAULT]; an empty one is none. */
static int parse_sydent(struct reader *reader)
{
	struct mx_slice line, value, chosen = { 0 };
	unsigned chosen_line = 0;
	bool in_crypto = false;

	while (line_next(reader, &line)) {
		if (starts_with(line, "["))
			in_crypto = starts_with(line, "[crypto]");
		if (!sydent_value(line, &value) || value.len == 0)
			continue;
		if (chosen.len && !in_crypto)
			continue;
		chosen = value;
		chosen_line = reader->line;
	}
	reader->line = chosen_line;
	return chosen.len ? add_key_line(reader, chosen) : 0;
}

static int add_pem_body(struct reader *reader, struct mx_slice version, struct mx_slice body)
{
	if (version.len == 0)
		return fail(reader, "the PEM block has no " PEM_KEY_ID " header");
	if (body.len == 0)
		return fail(reader, "the PEM block has no body of one line");
	return add_base64_key(reader, version, body);
}

/* Headers, an empty line, then 32 bytes: always one line of base64. */
static int parse_pem_block(struct reader *reader)
{
	struct mx_slice line, version = { 0 }, body = { 0 };

	while (line_next(reader, &line)) {
		if (starts_with(line, PEM_END))
			return add_pem_body(reader, version, body);
		if (starts_with(line, PEM_KEY_ID)) {
			struct mx_slice id = behind(line, strlen(PEM_KEY_ID));

			if (!starts_with(id, ID_PREFIX))
				return fail(reader, "the key id does not start with " ID_PREFIX);
			version = behind(id, strlen(ID_PREFIX));
		} else if (line.len && !memchr(line.ptr, ':', line.len)) {
			if (body.len)
				return fail(reader, "the PEM block is longer than 32 bytes");
			body = line;
		}
	}
	return fail(reader, "the PEM block has no end");
}

static int parse_dendrite(struct reader *reader)
{
	struct mx_slice line;
	int rc = 0;

	while (rc == 0 && line_next(reader, &line)) {
		if (starts_with(line, PEM_BEGIN))
			rc = parse_pem_block(reader);
	}
	return rc;
}

/* The first line that tells decides. */
static int parse_any(struct reader *reader)
{
	struct reader ahead = *reader;
	struct mx_slice line, value;

	while (line_next(&ahead, &line)) {
		if (starts_with(line, PEM_BEGIN))
			return parse_dendrite(reader);
		if (starts_with(line, "[") || sydent_value(line, &value))
			return parse_sydent(reader);
	}
	return parse_synapse(reader);
}

int mx_keyfile_text_parse(struct mx_slice text, struct mx_keyring *ret_ring, struct mx_error *err)
{
	struct mx_keyring ring = { 0 };
	struct reader reader = { .rest = text, .ring = &ring, .err = err };
	int rc;

	if (text.len > MX_KEYFILE_MAX)
		return mx_fail(err, MX_BAD_KEY, "more than %u bytes", MX_KEYFILE_MAX);
	if (text.len && memchr(text.ptr, '\0', text.len))
		return mx_fail(err, MX_BAD_KEY, "not a text file");
	rc = parse_any(&reader);
	if (rc == 0 && ring.len == 0)
		rc = mx_fail(err, MX_BAD_KEY, "there is no signing key in the file");
	if (rc != 0) {
		mx_keyring_done(&ring);
		return rc;
	}
	*ret_ring = ring;
	return 0;
}

static bool id_ok(const char *id)
{
	return mx_starts_with(id, ID_PREFIX) && version_ok(mx_slice(id + strlen(ID_PREFIX)));
}

/* Ids that the file can hold, none twice. */
static bool ids_ok(const struct mx_keyring *ring)
{
	struct mx_keyring before = *ring;

	while (before.old_len > 0) {
		const char *id = before.old[--before.old_len].id;

		if (!id_ok(id) || ring_has(&before, id))
			return false;
	}
	while (before.len > 0) {
		const char *id = mx_signing_key_id(before.keys[--before.len]);

		if (!id_ok(id) || ring_has(&before, id))
			return false;
	}
	return true;
}

/* One line more than there are keys is enough for any of them. */
static size_t longest_text(const struct mx_keyring *ring)
{
	const size_t line = sizeof(ALGORITHM) + VERSION_MAX + 3 * 22 + 44;

	return (ring->len + ring->old_len + 1) * line;
}

static const char *version_of(const char *id)
{
	return id + strlen(ID_PREFIX);
}

static int append_key(char *text, size_t size, const struct mx_signing_key *key)
{
	char *seed = sodium_malloc(44);
	int len;

	if (!seed)
		abort();
	mx_signing_key_seed_base64(key, seed);
	len = snprintf(text, size, ALGORITHM " %s %s\n", version_of(mx_signing_key_id(key)), seed);
	sodium_free(seed);
	return len;
}

static int append_old_key(char *text, size_t size, const struct mx_old_key *old)
{
	char public_key[44];

	sodium_bin2base64(public_key, sizeof(public_key), old->public_key, MX_ED25519_PUBLIC_LEN,
			  sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
	return snprintf(text, size, ALGORITHM " %s %" PRId64 " %s\n", version_of(old->id),
			old->expired_ts, public_key);
}

char *mx_keyfile_text_format(const struct mx_keyring *ring, size_t *ret_len, struct mx_error *err)
{
	size_t size = longest_text(ring), len = 0;
	char *text;

	if (ring->len == 0 || ring->len + ring->old_len > MX_KEYFILE_KEYS_MAX || !ids_ok(ring)) {
		mx_fail(err, MX_BAD_KEY,
			"a key file has 1 to %d keys, no id twice, and at least one that signs",
			MX_KEYFILE_KEYS_MAX);
		return NULL;
	}
	text = sodium_malloc(size);
	if (!text)
		abort();
	for (size_t i = 0; i < ring->len; i++)
		len += (size_t)append_key(text + len, size - len, ring->keys[i]);
	for (size_t i = 0; i < ring->old_len; i++)
		len += (size_t)append_old_key(text + len, size - len, &ring->old[i]);
	*ret_len = len;
	return text;
}
