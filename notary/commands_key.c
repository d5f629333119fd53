/* trinity-notary key …: works on the key files; the running daemon takes them over on reload. */
#include "notary/commands.h"
#include "notary/notary_conf.h"
#include "shared/core/error.h"
#include "shared/daemon/console.h"
#include "shared/daemon/key_commands.h"

#include <stdlib.h>
#include <unistd.h>

static int failed(const struct mx_error *err)
{
	return console_fail(NOTARY_PROGRAM, err);
}

static void print_ring(const struct mx_keyring *ring, const char *role)
{
	for (size_t i = 0; i < ring->len; i++)
		key_print(mx_signing_key_id(ring->keys[i]), mx_signing_key_public(ring->keys[i]),
			  role);
	for (size_t i = 0; i < ring->old_len; i++)
		key_print(ring->old[i].id, ring->old[i].public_key, "old, published only");
}

static int list_file(const char *path, const char *role)
{
	struct mx_keyring ring = { 0 };
	struct mx_error err = { 0 };

	if (mx_keyfile_load(path, &ring, &err))
		return failed(&err);
	print_ring(&ring, role);
	mx_keyring_done(&ring);
	return EXIT_SUCCESS;
}

/* The first rotation makes the file for countersigning. */
static int key_list(const void *conf_ptr, const char *argument)
{
	const struct notary_conf *conf = conf_ptr;
	const char *former = conf->keys.countersign_file;
	int status = list_file(conf->keys.signing_file, "signs, published");

	(void)argument;
	if (status == EXIT_SUCCESS && former && access(former, F_OK) == 0)
		status = list_file(former, "countersigns only");
	return status;
}

static int key_generate(const void *conf, const char *path)
{
	struct mx_error err = { 0 };

	(void)conf;
	return key_file_generate(path, NULL, &err) ? failed(&err) : EXIT_SUCCESS;
}

static int key_import(const void *conf_ptr, const char *path)
{
	const struct notary_conf *conf = conf_ptr;
	struct mx_error err = { 0 };

	if (key_file_add(path, conf->keys.signing_file, &err))
		return failed(&err);
	puts("imported; reload the daemon to sign with it");
	return EXIT_SUCCESS;
}

/* The former keys go on countersigning, so that askers who pinned them notice nothing. */
static int key_rotate(const void *conf_ptr, const char *argument)
{
	const struct notary_conf *conf = conf_ptr;
	struct mx_error err = { 0 };

	(void)argument;
	if (!conf->keys.countersign_file) {
		mx_fail(&err, MX_BAD_CONFIG,
			"set keys.countersign_file first: the present keys move there, for those "
			"who pinned them");
		return failed(&err);
	}
	if (key_file_add(conf->keys.signing_file, conf->keys.countersign_file, &err) ||
	    key_file_rotate(conf->keys.signing_file, &err))
		return failed(&err);
	puts("rotated; reload the daemon to sign with the new key");
	return EXIT_SUCCESS;
}

int command_key(const void *conf, int argc, char **argv)
{
	static const struct key_command commands[] = {
		{ "list", NULL, key_list },
		{ "generate", "FILE", key_generate },
		{ "import", "FILE", key_import },
		{ "rotate", NULL, key_rotate },
		{ 0 },
	};

	return key_command_run(NOTARY_PROGRAM, commands, conf, argc, argv);
}
