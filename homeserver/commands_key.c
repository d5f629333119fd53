/* trinity-homeserver key …: works on the key file; the running daemon takes it over on reload. */
#include "homeserver/commands.h"
#include "homeserver/hs_conf.h"
#include "shared/core/error.h"
#include "shared/daemon/console.h"
#include "shared/daemon/key_commands.h"

#include <stdio.h>
#include <stdlib.h>

/* rc's sentence on standard error, or what was done. */
static int done(int rc, const struct mx_error *err, const char *said)
{
	if (rc)
		return console_fail(HS_PROGRAM, err);
	if (said)
		puts(said);
	return EXIT_SUCCESS;
}

static const char *file_of(const void *conf)
{
	return ((const struct hs_conf *)conf)->keys.signing_file;
}

static void print_ring(const struct mx_keyring *ring)
{
	for (size_t i = 0; i < ring->len; i++)
		key_print(mx_signing_key_id(ring->keys[i]), mx_signing_key_public(ring->keys[i]),
			  i == 0 ? "signs, published" : "published");
	for (size_t i = 0; i < ring->old_len; i++)
		key_print(ring->old[i].id, ring->old[i].public_key, "old, published only");
}

static int key_list(const void *conf, const char *argument)
{
	struct mx_keyring ring = { 0 };
	struct mx_error err = { 0 };
	int rc = mx_keyfile_load(file_of(conf), &ring, &err);

	(void)argument;
	if (rc == 0)
		print_ring(&ring);
	mx_keyring_done(&ring);
	return done(rc, &err, NULL);
}

static int key_generate(const void *conf, const char *path)
{
	struct mx_error err = { 0 };
	int rc = key_file_generate(path, NULL, &err);

	(void)conf;
	return done(rc, &err, NULL);
}

static int key_import(const void *conf, const char *path)
{
	struct mx_error err = { 0 };
	int rc = key_file_add(path, file_of(conf), &err);

	return done(rc, &err, "imported; reload the daemon to publish it");
}

static int key_rotate(const void *conf, const char *argument)
{
	struct mx_error err = { 0 };
	int rc = key_file_rotate(file_of(conf), &err);

	(void)argument;
	return done(rc, &err,
		    "rotated; reload the daemon to sign with the new key. The former ones stay "
		    "published as old: what they signed stays valid");
}

static int key_retire(const void *conf, const char *id)
{
	struct mx_keyring ring = { 0 };
	struct mx_error err = { 0 };
	int rc = mx_keyfile_load(file_of(conf), &ring, &err);

	if (rc == 0)
		rc = key_ring_retire(&ring, id, &err);
	if (rc == 0)
		rc = mx_keyfile_save(file_of(conf), &ring, &err);
	mx_keyring_done(&ring);
	return done(rc, &err, "retired; reload the daemon. It stays published as old");
}

int hs_command_key(const void *conf, int argc, char **argv)
{
	static const struct key_command commands[] = {
		{ "list", NULL, key_list },         { "generate", "FILE", key_generate },
		{ "import", "FILE", key_import },   { "rotate", NULL, key_rotate },
		{ "retire", "KEY_ID", key_retire }, { 0 },
	};

	return key_command_run(HS_PROGRAM, commands, conf, argc, argv);
}
