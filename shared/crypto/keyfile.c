#include "shared/crypto/keyfile.h"

#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/rand.h"
#include "shared/core/str.h"
#include "shared/crypto/keyfile_text.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail_errno(struct mx_error *err, enum mx_code code, const char *path)
{
	return mx_fail(err, code, "%s: %s", path, strerror(errno));
}

static int check_file(int fd, const char *path, struct mx_error *err)
{
	struct stat info;

	if (fstat(fd, &info) != 0)
		return fail_errno(err, MX_BAD_KEY, path);
	if (!S_ISREG(info.st_mode))
		return mx_fail(err, MX_BAD_KEY, "%s: not a regular file", path);
	if (info.st_mode & (S_IROTH | S_IWOTH))
		return mx_fail(err, MX_BAD_KEY,
			       "%s: others than its owner and group may read or write it", path);
	return 0;
}

/* Without stdio, whose buffers would keep the secrets. */
static int read_all(int fd, char *text, size_t size, size_t *ret_len)
{
	size_t len = 0;

	while (len < size) {
		ssize_t got = read(fd, text + len, size - len);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		len += (size_t)got;
	}
	*ret_len = len;
	return 0;
}

static int load_open(int fd, const char *path, struct mx_keyring *ret_ring, struct mx_error *err)
{
	const size_t size = MX_KEYFILE_MAX + 1; /* the one more byte shows that it is too long */
	struct mx_error reason = { 0 };
	size_t len;
	char *text;
	int rc = check_file(fd, path, err);

	if (rc != 0)
		return rc;
	text = sodium_malloc(size);
	if (!text)
		abort();
	if (read_all(fd, text, size, &len) != 0) {
		rc = fail_errno(err, MX_BAD_KEY, path);
	} else {
		rc = mx_keyfile_text_parse(mx_slice_of(text, len), ret_ring, &reason);
		if (rc != 0)
			mx_fail(err, MX_BAD_KEY, "%s: %s", path, reason.text);
	}
	sodium_free(text); /* wipes it */
	return rc;
}

int mx_keyfile_load(const char *path, struct mx_keyring *ret_ring, struct mx_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	int rc;

	if (fd < 0)
		return fail_errno(err, errno == ENOENT ? MX_NOT_FOUND : MX_BAD_KEY, path);
	rc = load_open(fd, path, ret_ring, err);
	close(fd);
	return rc;
}

static int write_all(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t put = write(fd, text, len);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -1;
		text += put;
		len -= (size_t)put;
	}
	return 0;
}

static char *directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? mx_strndup(path, (size_t)(slash - path) + 1) : mx_strdup(".");
}

/* A file that root writes is readable for the user that it is for: who had it before, or who has
 * the directory. */
static int keep_owner(int fd, const char *path)
{
	mx_autofree char *directory = directory_of(path);
	struct stat old;

	if (geteuid() != 0 || (stat(path, &old) != 0 && stat(directory, &old) != 0))
		return 0;
	return fchown(fd, old.st_uid, old.st_gid);
}

static int write_file(const char *temporary, const char *path, const char *text, size_t len)
{
	int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	bool written;
	int saved;

	if (fd < 0)
		return -1;
	written = fchmod(fd, 0600) == 0 && keep_owner(fd, path) == 0 &&
		  write_all(fd, text, len) == 0 && fsync(fd) == 0;
	saved = errno;
	if (close(fd) != 0 && written)
		return -1;
	errno = saved;
	return written ? 0 : -1;
}

static int sync_directory_of(const char *path)
{
	mx_autofree char *directory = directory_of(path);
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc, saved;

	if (fd < 0)
		return -1;
	rc = fsync(fd);
	saved = errno;
	close(fd);
	errno = saved;
	return rc;
}

static int replace_file(const char *path, const char *text, size_t len, struct mx_error *err)
{
	mx_autofree char *temporary = NULL;
	char token[9];
	enum mx_code code;

	mx_random_token(token, sizeof(token) - 1);
	temporary = mx_strf("%s.new-%s", path, token);
	if (write_file(temporary, path, text, len) == 0 && rename(temporary, path) == 0 &&
	    sync_directory_of(path) == 0)
		return 0;
	code = errno == ENOSPC || errno == EDQUOT ? MX_STORE_FULL : MX_STORE;
	mx_fail(err, code, "%s: %s", path, strerror(errno));
	unlink(temporary);
	return -(int)code;
}

int mx_keyfile_save(const char *path, const struct mx_keyring *ring, struct mx_error *err)
{
	size_t len;
	char *text = mx_keyfile_text_format(ring, &len, err);
	int rc;

	if (!text)
		return -MX_BAD_KEY;
	rc = replace_file(path, text, len, err);
	sodium_free(text); /* wipes it */
	return rc;
}

static struct mx_signing_key *take_key(struct mx_keyring *ring, const char *id)
{
	for (size_t i = 0; i < ring->len; i++) {
		struct mx_signing_key *key = ring->keys[i];

		if (!streq(mx_signing_key_id(key), id))
			continue;
		memmove(&ring->keys[i], &ring->keys[i + 1],
			(ring->len - i - 1) * sizeof(struct mx_signing_key *));
		ring->len--;
		return key;
	}
	return NULL;
}

bool mx_keyring_retire(struct mx_keyring *ring, const char *id, int64_t expired_ts)
{
	struct mx_signing_key *key = take_key(ring, id);
	struct mx_old_key old = { .expired_ts = expired_ts };

	if (!key)
		return false;
	old.id = mx_strdup(mx_signing_key_id(key));
	memcpy(old.public_key, mx_signing_key_public(key), MX_ED25519_PUBLIC_LEN);
	mx_keyring_add_old(ring, old);
	mx_signing_key_free(key);
	return true;
}

void mx_keyring_add(struct mx_keyring *ring, struct mx_signing_key *key)
{
	ring->keys = mx_realloc(ring->keys, (ring->len + 1) * sizeof(struct mx_signing_key *));
	ring->keys[ring->len++] = key;
}

void mx_keyring_add_old(struct mx_keyring *ring, struct mx_old_key old)
{
	ring->old = mx_realloc(ring->old, (ring->old_len + 1) * sizeof(*ring->old));
	ring->old[ring->old_len++] = old;
}

void mx_keyring_done(struct mx_keyring *ring)
{
	for (size_t i = 0; i < ring->len; i++)
		mx_signing_key_free(ring->keys[i]);
	for (size_t i = 0; i < ring->old_len; i++)
		mx_free(ring->old[i].id);
	mx_free(ring->keys);
	mx_free(ring->old);
	*ring = (struct mx_keyring){ 0 };
}
