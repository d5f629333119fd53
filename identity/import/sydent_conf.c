#include "identity/import/sydent_conf.h"

#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/map.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/core/utf8.h"
#include "shared/crypto/keyfile.h"
#include "shared/crypto/keyfile_text.h"
#include "shared/daemon/files.h"

#include <jansson.h>
#include <sodium.h>

#define CONF_BYTES_MAX  (1024u * 1024)
#define KEY_FILE_LINE   "ed25519.signingkey = %s\n"
#define DEFAULT_SECTION "default"

struct sydent_conf {
	struct mx_map options; /* "section\noption" → value */
};

/* ---- reading */

/* "%%" is how configparser writes a percent sign. */
static char *unescape(struct mx_slice value)
{
	struct mx_str text = { 0 };

	for (size_t i = 0; i < value.len; i++) {
		mx_str_add_char(&text, value.ptr[i]);
		if (value.ptr[i] == '%' && i + 1 < value.len && value.ptr[i + 1] == '%')
			i++;
	}
	return mx_str_steal(&text);
}

static void wipe(void *value)
{
	sodium_memzero(value, strlen(value));
	mx_free(value);
}

static void add_lower(struct mx_str *out, struct mx_slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		mx_str_add_char(out, c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c);
	}
}

static void add_name(struct mx_str *out, const char *section, struct mx_slice option)
{
	mx_str_add_text(out, section);
	mx_str_add_char(out, '\n');
	add_lower(out, option);
}

static void add_option(struct sydent_conf *conf, const char *section, struct mx_slice line)
{
	size_t len = 0;
	mx_str_auto name = { 0 };
	char *value, *before;

	while (len < line.len && line.ptr[len] != '=' && line.ptr[len] != ':')
		len++;
	if (len == line.len)
		return;
	add_name(&name, section, mx_trim(mx_slice_of(line.ptr, len)));
	value = unescape(mx_trim(mx_slice_of(line.ptr + len + 1, line.len - len - 1)));
	before = mx_map_put(&conf->options, mx_str_slice(&name), value);
	if (before)
		wipe(before);
}

/* The section's name in small letters: "[DEFAULT]" is not like "[general]" for configparser, but
 * nobody has both. */
static void read_line(struct sydent_conf *conf, struct mx_slice line, struct mx_str *section)
{
	struct mx_slice text = mx_trim(line);

	if (text.len && text.ptr[text.len - 1] == '\r')
		text = mx_trim(mx_slice_of(text.ptr, text.len - 1));
	if (text.len == 0 || text.ptr[0] == '#' || text.ptr[0] == ';')
		return;
	if (text.ptr[0] == '[') {
		mx_str_clear(section);
		add_lower(section, mx_slice_of(text.ptr + 1, strcspn(text.ptr + 1, "]\r\n")));
		return;
	}
	add_option(conf, section->ptr ? section->ptr : DEFAULT_SECTION, text);
}

int sydent_conf_parse(const char *text, struct sydent_conf **ret_conf, struct mx_error *err)
{
	struct sydent_conf *conf;
	struct mx_slice rest = mx_slice(text), line;
	mx_str_auto section = { 0 };

	if (!mx_utf8_valid(rest))
		return mx_fail(err, MX_INVALID_PARAM, "Sydent's configuration is no UTF-8 text");
	conf = mx_calloc(1, sizeof(*conf));
	while (mx_split_next(&rest, '\n', &line))
		read_line(conf, line, &section);
	*ret_conf = conf;
	return 0;
}

int sydent_conf_load(const char *path, struct sydent_conf **ret_conf, struct mx_error *err)
{
	char *text;
	size_t len;
	int rc;

	if (file_read(path, CONF_BYTES_MAX, &text, &len, err))
		return -MX_INVALID_PARAM;
	rc = strlen(text) == len ? sydent_conf_parse(text, ret_conf, err)
				 : mx_fail(err, MX_INVALID_PARAM, "%s is no text", path);
	sodium_memzero(text, len);
	mx_free(text);
	return rc;
}

void sydent_conf_free(struct sydent_conf *conf)
{
	if (!conf)
		return;
	mx_map_done(&conf->options, wipe);
	mx_free(conf);
}

static const char *find(const struct sydent_conf *conf, const char *section, const char *option)
{
	mx_str_auto name = { 0 };
	const char *value;

	add_name(&name, section, mx_slice(option));
	value = mx_map_find(&conf->options, mx_str_slice(&name));
	return value && *value ? value : NULL;
}

const char *sydent_conf_get(const struct sydent_conf *conf, const char *section, const char *option)
{
	const char *value = find(conf, section, option);

	return value ? value : find(conf, DEFAULT_SECTION, option);
}

/* ---- showing */

/* JSON strings are YAML strings, and nothing in them steers a terminal. */
static void print_quoted(FILE *out, struct mx_slice text)
{
	json_auto_t *json = json_stringn(text.ptr, text.len);

	json_dumpf(json, out, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
}

static void print_line(FILE *out, const char *name, const char *value)
{
	if (!value)
		return;
	fprintf(out, "%s: ", name);
	print_quoted(out, mx_slice(value));
	fputc('\n', out);
}

/* Ours has no slash at its end. */
static void print_base_url(const struct sydent_conf *conf, FILE *out)
{
	const char *url = sydent_conf_get(conf, "http", "client_http_base");
	struct mx_slice text = mx_slice(url);

	if (!url)
		return;
	while (text.len && text.ptr[text.len - 1] == '/')
		text.len--;
	fputs("public_base_url: ", out);
	print_quoted(out, text);
	fputc('\n', out);
}

static const char *tls_of(const struct sydent_conf *conf)
{
	const char *mode = sydent_conf_get(conf, "email", "email.tlsmode");

	if (streq(mode, "TLS") || streq(mode, "SSL"))
		return "implicit";
	return streq(mode, "STARTTLS") ? "starttls" : "plain";
}

static void print_mail(const struct sydent_conf *conf, FILE *out)
{
	const char *port = sydent_conf_get(conf, "email", "email.smtpport");
	int64_t number;

	if (!sydent_conf_get(conf, "email", "email.smtphost"))
		return;
	fputs("mail:\n", out);
	print_line(out, "  relay", sydent_conf_get(conf, "email", "email.smtphost"));
	if (port && mx_parse_i64(mx_slice(port), &number))
		fprintf(out, "  port: %lld\n", (long long)number);
	fprintf(out, "  tls: %s\n", tls_of(conf));
	print_line(out, "  user", sydent_conf_get(conf, "email", "email.smtpusername"));
	if (sydent_conf_get(conf, "email", "email.smtppassword"))
		fputs("  password_file: FILE  # with email.smtppassword in it\n", out);
	print_line(out, "  from", sydent_conf_get(conf, "email", "email.from"));
	print_line(out, "  hello", sydent_conf_get(conf, "email", "email.hostname"));
}

static void print_allowed(const struct sydent_conf *conf, FILE *out)
{
	const char *list = sydent_conf_get(conf, "general", "homeserver_allow_list");
	struct mx_slice rest = mx_slice(list), name;

	if (!list)
		return;
	fputs("homeservers:\n  allow:\n", out);
	while (mx_split_next(&rest, ',', &name)) {
		fputs("    - ", out);
		print_quoted(out, mx_trim(name));
		fputc('\n', out);
	}
}

static bool is_off(const struct sydent_conf *conf, const char *option)
{
	const char *value = sydent_conf_get(conf, "general", option);

	return value && strcasecmp(value, "true") != 0;
}

/* Keys and invites of v1 stay: rooms and mails name them. */
static void print_endpoints(const struct sydent_conf *conf, FILE *out)
{
	if (is_off(conf, "enable_v1_access"))
		fputs("endpoints:\n  off: [v1_lookup, v1_validation, v1_binding]\n", out);
	else if (is_off(conf, "enable_v1_associations"))
		fputs("endpoints:\n  off: [v1_binding]\n", out);
}

static void print_invites(const struct sydent_conf *conf, FILE *out)
{
	const char *web = sydent_conf_get(conf, "email", "email.default_web_client_location");

	if (web)
		fputs("invites:\n", out);
	print_line(out, "  web_client", web);
}

void sydent_conf_print(const struct sydent_conf *conf, FILE *out)
{
	print_line(out, "server_name", sydent_conf_get(conf, "general", "server.name"));
	print_base_url(conf, out);
	print_mail(conf, out);
	print_allowed(conf, out);
	print_endpoints(conf, out);
	print_invites(conf, out);
}

/* ---- the key */

static int read_key(const struct sydent_conf *conf, struct mx_keyring *ret_ring,
		    struct mx_error *err)
{
	const char *value = sydent_conf_get(conf, "crypto", "ed25519.signingkey");
	char *text;
	int rc;

	if (!value)
		return mx_fail(err, MX_NOT_FOUND, "Sydent's configuration has no signing key");
	text = mx_strf(KEY_FILE_LINE, value);
	rc = mx_keyfile_text_parse(mx_slice(text), ret_ring, err);
	wipe(text);
	return rc;
}

/* Where in the ring a key of this id is; its length if nowhere. */
static size_t place_of(const struct mx_keyring *ring, const struct mx_signing_key *key)
{
	size_t i = 0;

	while (i < ring->len && !streq(mx_signing_key_id(ring->keys[i]), mx_signing_key_id(key)))
		i++;
	return i;
}

static bool is_same(const struct mx_signing_key *one, const struct mx_signing_key *two)
{
	return memcmp(mx_signing_key_public(one), mx_signing_key_public(two),
		      MX_ED25519_PUBLIC_LEN) == 0;
}

/* Most services call their key "ed25519:0", ours too: what was signed here meanwhile stays valid
 * by the bytes of the key, which gets another id. */
static void rename_key(struct mx_keyring *ring, const struct mx_signing_key *key)
{
	mx_autofree char *id = mx_strdup(mx_signing_key_id(key));
	struct mx_old_key *old;

	mx_keyring_retire(ring, id, mx_now_ms());
	old = &ring->old[ring->old_len - 1];
	mx_free(old->id);
	old->id = mx_strf("ed25519:replaced_%02x%02x%02x%02x", old->public_key[0],
			  old->public_key[1], old->public_key[2], old->public_key[3]);
}

/* Its key, then those that are there. */
static void put_first(struct mx_keyring *from, struct mx_keyring *into)
{
	struct mx_signing_key *key = from->keys[0];
	size_t place = place_of(into, key);

	if (place < into->len && !is_same(into->keys[place], key)) {
		rename_key(into, into->keys[place]);
		place = into->len;
	}
	if (place == into->len) {
		mx_keyring_add(into, key);
		from->len = 0;
	}
	key = into->keys[place];
	memmove(&into->keys[1], &into->keys[0], place * sizeof(struct mx_signing_key *));
	into->keys[0] = key;
}

static int change_file(struct mx_keyring *from, struct mx_keyring *into, const char *key_file,
		       bool *ret_added, struct mx_error *err)
{
	int rc = mx_keyfile_load(key_file, into, err);

	if (rc && rc != -MX_NOT_FOUND)
		return rc;
	*ret_added = !into->len || !is_same(into->keys[0], from->keys[0]);
	if (!*ret_added)
		return 0;
	put_first(from, into);
	return mx_keyfile_save(key_file, into, err);
}

int sydent_conf_key(const struct sydent_conf *conf, const char *key_file, bool *ret_added,
		    struct mx_error *err)
{
	struct mx_keyring from = { 0 }, into = { 0 };
	int rc = read_key(conf, &from, err);

	if (rc == 0)
		rc = change_file(&from, &into, key_file, ret_added, err);
	mx_keyring_done(&from);
	mx_keyring_done(&into);
	return rc;
}
