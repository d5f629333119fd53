/*
 * Signed JSON for tests in other languages. A command a line on standard input, an answer a line
 * on standard output: canonical JSON, or `!NAME` of the error.
 *
 *   {"do":"canonical","object":…}                                  the canonical form
 *   {"do":"sign","object":…,"server":…,"key":…,"seed":…}           the object, signed
 *   {"do":"sign_tree", …the same}                                  the same through a tree
 *   {"do":"verify","object":…,"server":…,"key":…,"public_key":…}   "good", "bad" or "absent"
 *   {"do":"load_keys","path":…}                                    {"ed25519:a_1":"PUBLIC", …}
 *   {"do":"save_key","path":…,"key":…,"seed":…}                    {}
 */
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/base64.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/crypto/ed25519.h"
#include "shared/crypto/keyfile.h"
#include "shared/crypto/sign_json.h"
#include "shared/json/canonical.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

struct command {
	struct mx_json_doc doc;
	struct mx_arena *mem;
	struct mx_str out;
};

static struct mx_slice text_of(const struct command *command, const char *name)
{
	uint32_t node = mx_json_member(&command->doc, 0, name);

	if (!node || mx_json_type(&command->doc, node) != MX_JSON_STRING)
		return MX_SLICE("");
	return mx_json_string(&command->doc, node, command->mem);
}

static const char *cstr_of(const struct command *command, const char *name)
{
	struct mx_slice text = text_of(command, name);

	return mx_arena_strndup(command->mem, text.ptr, text.len);
}

static struct mx_slice object_text(const struct command *command)
{
	uint32_t node = mx_json_member(&command->doc, 0, "object");

	return node ? mx_json_raw(&command->doc, node) : MX_SLICE("");
}

static int scan_object(const struct command *command, struct mx_json_doc *ret_doc)
{
	return mx_json_scan(object_text(command), &mx_json_default_limits, command->mem, ret_doc,
			    NULL);
}

static int canonical(struct command *command)
{
	struct mx_json_doc doc;
	int rc = scan_object(command, &doc);

	return rc ? rc : mx_canonical(&doc, 0, NULL, &command->out, NULL);
}

static int key_of(const struct command *command, struct mx_signing_key **ret_key)
{
	uint8_t seed[MX_ED25519_SEED_LEN];

	if (!mx_base64_decode_exact(text_of(command, "seed"), seed, sizeof(seed)))
		return -MX_BAD_KEY;
	*ret_key = mx_signing_key_new(cstr_of(command, "key"), seed);
	return 0;
}

static int sign_with(struct command *command, const struct mx_signing_key *key)
{
	mx_str_auto message = { 0 };
	struct mx_json_doc doc;
	int rc = scan_object(command, &doc);

	if (rc == 0)
		rc = mx_signed_bytes(&doc, &message, NULL);
	if (rc == 0)
		rc = mx_countersign(&doc, mx_str_slice(&message), cstr_of(command, "server"), &key,
				    1, &command->out, NULL);
	return rc;
}

static int sign_tree_with(struct command *command, const struct mx_signing_key *key)
{
	struct mx_slice text = object_text(command);
	json_t *tree = json_loadb(text.ptr, text.len, JSON_ALLOW_NUL, NULL);
	int rc = tree ? mx_sign_json(tree, cstr_of(command, "server"), key, NULL) : -MX_NOT_JSON;

	if (rc == 0)
		rc = mx_canonical_json(tree, NULL, &command->out, NULL);
	json_decref(tree);
	return rc;
}

static int with_key(struct command *command,
		    int (*use)(struct command *command, const struct mx_signing_key *key))
{
	struct mx_signing_key *key;
	int rc = key_of(command, &key);

	if (rc != 0)
		return rc;
	rc = use(command, key);
	mx_signing_key_free(key);
	return rc;
}

static int sign(struct command *command)
{
	return with_key(command, sign_with);
}

static int sign_tree(struct command *command)
{
	return with_key(command, sign_tree_with);
}

static int verify(struct command *command)
{
	static const char *const names[] = {
		[MX_SIG_ABSENT] = "\"absent\"",
		[MX_SIG_BAD] = "\"bad\"",
		[MX_SIG_GOOD] = "\"good\"",
	};
	uint8_t public_key[MX_ED25519_PUBLIC_LEN];
	mx_str_auto message = { 0 };
	struct mx_json_doc doc;
	int rc = scan_object(command, &doc);

	if (rc == 0)
		rc = mx_signed_bytes(&doc, &message, NULL);
	if (rc != 0)
		return rc;
	if (!mx_base64_decode_exact(text_of(command, "public_key"), public_key, sizeof(public_key)))
		return -MX_BAD_KEY;
	mx_str_add_text(
		&command->out,
		names[mx_check_signature(&doc, mx_str_slice(&message), text_of(command, "server"),
					 text_of(command, "key"), public_key)]);
	return 0;
}

static void add_public(struct mx_str *out, const char *id, const uint8_t *public_key)
{
	if (out->ptr[out->len - 1] != '{')
		mx_str_add_char(out, ',');
	mx_canonical_string(out, mx_slice(id));
	mx_str_add_text(out, ":\"");
	mx_base64_add(out, public_key, MX_ED25519_PUBLIC_LEN);
	mx_str_add_char(out, '"');
}

static int load_keys(struct command *command)
{
	struct mx_keyring ring;
	int rc = mx_keyfile_load(cstr_of(command, "path"), &ring, NULL);

	if (rc != 0)
		return rc;
	mx_str_add_char(&command->out, '{');
	for (size_t i = 0; i < ring.len; i++)
		add_public(&command->out, mx_signing_key_id(ring.keys[i]),
			   mx_signing_key_public(ring.keys[i]));
	for (size_t i = 0; i < ring.old_len; i++)
		add_public(&command->out, ring.old[i].id, ring.old[i].public_key);
	mx_str_add_char(&command->out, '}');
	mx_keyring_done(&ring);
	return 0;
}

static int save_key(struct command *command)
{
	struct mx_keyring ring = { 0 };
	struct mx_signing_key *key;
	int rc = key_of(command, &key);

	if (rc != 0)
		return rc;
	mx_keyring_add(&ring, key);
	rc = mx_keyfile_save(cstr_of(command, "path"), &ring, NULL);
	if (rc == 0)
		mx_str_add_text(&command->out, "{}");
	mx_keyring_done(&ring);
	return rc;
}

static int run(struct command *command)
{
	static const struct {
		const char *name;
		int (*run)(struct command *command);
	} commands[] = {
		{ "canonical", canonical }, { "sign", sign },           { "sign_tree", sign_tree },
		{ "verify", verify },       { "load_keys", load_keys }, { "save_key", save_key },
	};
	struct mx_slice name = text_of(command, "do");

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (mx_slice_is(name, commands[i].name))
			return commands[i].run(command);
	}
	return -MX_UNRECOGNIZED;
}

static void answer(struct mx_slice line)
{
	struct command command = { .mem = mx_arena_new(0) };
	int rc = mx_json_scan(line, &mx_json_default_limits, command.mem, &command.doc, NULL);

	if (rc == 0)
		rc = run(&command);
	if (rc == 0)
		fwrite(command.out.ptr, 1, command.out.len, stdout);
	else
		printf("!%s", mx_errc((enum mx_code) - rc)->name);
	putchar('\n');
	fflush(stdout);
	mx_str_done(&command.out);
	mx_arena_free(command.mem);
}

int main(void)
{
	char *line = NULL;
	size_t cap = 0;
	ssize_t len;

	mx_crypto_init();
	while ((len = getline(&line, &cap, stdin)) > 0)
		answer(mx_slice_of(line, (size_t)len));
	free(line);
	return 0;
}
