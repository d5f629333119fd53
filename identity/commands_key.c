/* trinity-identity key …: works on the key file; the running daemon takes it over on reload. */
#include "identity/commands.h"
#include "identity/identity_conf.h"
#include "identity/long_term_keys.h"
#include "shared/core/alloc.h"
#include "shared/core/base64.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/daemon/key_commands.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- showing */

static bool is_revoked(const struct identity_conf *conf, const uint8_t *public_key)
{
	uint8_t revoked[MX_ED25519_PUBLIC_LEN];

	for (unsigned i = 0; i < conf->keys.revoked_count; i++)
		if (mx_base64_decode_exact(mx_slice(conf->keys.revoked[i]), revoked,
					   sizeof(revoked)) &&
		    memcmp(revoked, public_key, sizeof(revoked)) == 0)
			return true;
	return false;
}

static void print(const struct identity_conf *conf, const char *id, const uint8_t *public_key,
		  const char *role)
{
	key_print(id, public_key, is_revoked(conf, public_key) ? "revoked" : role);
}

static void print_ring(const struct identity_conf *conf, const struct mx_keyring *ring)
{
	for (size_t i = 0; i < ring->len; i++)
		print(conf, mx_signing_key_id(ring->keys[i]), mx_signing_key_public(ring->keys[i]),
		      i == 0 ? "signs" : "valid, may sign");
	for (size_t i = 0; i < ring->old_len; i++)
		print(conf, ring->old[i].id, ring->old[i].public_key, "retired, valid");
}

static int key_list(const void *conf_ptr, const char *argument)
{
	const struct identity_conf *conf = conf_ptr;
	struct mx_keyring ring = { 0 };
	struct mx_error err = { 0 };
	int rc = mx_keyfile_load(conf->keys.signing_file, &ring, &err);

	(void)argument;
	if (rc == 0)
		print_ring(conf, &ring);
	mx_keyring_done(&ring);
	return rc ? identity_failed(&err) : EXIT_SUCCESS;
}

/* ---- changing */

struct change {
	const char *id;
	struct mx_str said; /* once it is done */
};

static int retire_key(struct mx_keyring *ring, struct change *change, struct mx_error *err)
{
	mx_str_add_text(&change->said,
			"retired; reload the daemon. It stays valid, and signs no more");
	return key_ring_retire(ring, change->id, err);
}

static void drop_old(struct mx_keyring *ring, size_t i)
{
	mx_free(ring->old[i].id);
	ring->old[i] = ring->old[--ring->old_len];
}

/* The file forgets it, so it is valid no more. Its bytes are said, for keys.revoked: another file
 * or a backup could bring it back. */
static int revoke_key(struct mx_keyring *ring, struct change *change, struct mx_error *err)
{
	const char *id = change->id;
	size_t i = 0;

	if (streq(mx_signing_key_id(ring->keys[0]), id))
		return mx_fail(err, MX_CONFLICT, "%s signs: first key rotate, then reload", id);
	mx_keyring_retire(ring, id, mx_now_ms());
	while (i < ring->old_len && !streq(ring->old[i].id, id))
		i++;
	if (i == ring->old_len)
		return mx_fail(err, MX_NOT_FOUND, "There is no key %s", id);
	mx_str_add_text(&change->said,
			"revoked; reload the daemon, and it is valid no more. Add it "
			"to keys.revoked, so that no other file brings it back:\n  - ");
	mx_base64_add(&change->said, ring->old[i].public_key, MX_ED25519_PUBLIC_LEN);
	drop_old(ring, i);
	return 0;
}

/* Loads the file, changes it and saves it. */
static int change_file(const struct identity_conf *conf, const char *id,
		       int (*how)(struct mx_keyring *ring, struct change *change,
				  struct mx_error *err))
{
	struct change change = { .id = id };
	struct mx_keyring ring = { 0 };
	struct mx_error err = { 0 };
	int rc = mx_keyfile_load(conf->keys.signing_file, &ring, &err);

	if (rc == 0 && ring.len == 0)
		rc = mx_fail(&err, MX_BAD_KEY, "%s has no key that signs", conf->keys.signing_file);
	if (rc == 0)
		rc = how(&ring, &change, &err);
	if (rc == 0)
		rc = mx_keyfile_save(conf->keys.signing_file, &ring, &err);
	if (rc == 0)
		puts(change.said.ptr);
	mx_str_done(&change.said);
	mx_keyring_done(&ring);
	return rc ? identity_failed(&err) : EXIT_SUCCESS;
}

/* ---- the commands */

static int key_generate(const void *conf, const char *path)
{
	struct mx_error err = { 0 };

	(void)conf;
	return key_file_generate(path, LONG_TERM_FIRST_ID, &err) ? identity_failed(&err)
								 : EXIT_SUCCESS;
}

static int key_import(const void *conf_ptr, const char *path)
{
	const struct identity_conf *conf = conf_ptr;
	struct mx_error err = { 0 };

	if (key_file_add(path, conf->keys.signing_file, &err))
		return identity_failed(&err);
	puts("imported; reload the daemon, and it counts as valid");
	return EXIT_SUCCESS;
}

static int key_rotate(const void *conf_ptr, const char *argument)
{
	const struct identity_conf *conf = conf_ptr;
	struct mx_error err = { 0 };

	(void)argument;
	if (key_file_rotate(conf->keys.signing_file, &err))
		return identity_failed(&err);
	puts("rotated; reload the daemon to sign with the new key. The former ones stay valid");
	return EXIT_SUCCESS;
}

static int key_retire(const void *conf, const char *id)
{
	return change_file(conf, id, retire_key);
}

static int key_revoke(const void *conf, const char *id)
{
	return change_file(conf, id, revoke_key);
}

int identity_command_key(const void *conf, int argc, char **argv)
{
	static const struct key_command commands[] = {
		{ "list", NULL, key_list },
		{ "generate", "FILE", key_generate },
		{ "import", "FILE", key_import },
		{ "rotate", NULL, key_rotate },
		{ "retire", "KEY_ID", key_retire },
		{ "revoke", "KEY_ID", key_revoke },
		{ 0 },
	};

	return key_command_run(IDENTITY_PROGRAM, commands, conf, argc, argv);
}
