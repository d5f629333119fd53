#include "homeserver/media/media_file.h"

#include "homeserver/call.h"
#include "homeserver/media/media_db.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/hex.h"
#include "shared/core/map.h"
#include "shared/core/str.h"
#include "shared/http/spool.h"
#include "shared/store/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEX_LEN    ((size_t)2 * MX_SHA256_LEN)
#define SHARDS     256
#define SHARD_NAME 2 /* letters */

struct media_files {
	char *directory;
	struct store *store;
	pthread_mutex_t lock; /* everything below, and removing */
	struct mx_map arriving; /* digest → unsigned, on the heap */
	unsigned holds;
};

/* ---- names */

static void hex_of(const uint8_t *sha256, char ret_hex[HEX_LEN + 1])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < MX_SHA256_LEN; i++) {
		ret_hex[2 * i] = digits[sha256[i] >> 4];
		ret_hex[2 * i + 1] = digits[sha256[i] & 15];
	}
	ret_hex[HEX_LEN] = '\0';
}

static bool digest_of(const char *shard, const char *rest, uint8_t ret_sha256[MX_SHA256_LEN])
{
	mx_autofree char *hex = mx_strf("%s%s", shard, rest);

	if (strlen(shard) != SHARD_NAME || strlen(hex) != HEX_LEN)
		return false;
	for (size_t i = 0; i < MX_SHA256_LEN; i++) {
		int high = mx_hex_digit(hex[2 * i]), low = mx_hex_digit(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		ret_sha256[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static char *path_of(const struct media_files *files, const uint8_t *sha256)
{
	char hex[HEX_LEN + 1];

	hex_of(sha256, hex);
	return mx_strf("%s/%.*s/%s", files->directory, SHARD_NAME, hex, hex + SHARD_NAME);
}

/* ---- life */

static int failed(struct mx_error *err, const char *path)
{
	return mx_fail(err, MX_STORE, "%s: %s", path, strerror(errno));
}

static int make_directory(const char *path, struct mx_error *err)
{
	if (mkdir(path, 0700) && errno != EEXIST)
		return failed(err, path);
	return 0;
}

/* All of them at once, so that no upload makes a directory, which would have to be durable too. */
static int make_directories(const struct media_files *files, struct mx_error *err)
{
	int rc = make_directory(files->directory, err);

	for (unsigned i = 0; rc == 0 && i < SHARDS; i++) {
		mx_autofree char *shard = mx_strf("%s/%02x", files->directory, i);

		rc = make_directory(shard, err);
	}
	return rc;
}

int media_files_new(const char *data_directory, struct store *store, struct media_files **ret_files,
		    struct mx_error *err)
{
	struct media_files *files = mx_calloc(1, sizeof(*files));
	int rc;

	files->directory = mx_strf("%s/media", data_directory);
	files->store = store;
	pthread_mutex_init(&files->lock, NULL);
	rc = make_directories(files, err);
	if (rc) {
		media_files_free(files);
		return rc;
	}
	*ret_files = files;
	return 0;
}

void media_files_free(struct media_files *files)
{
	if (!files)
		return;
	mx_map_done(&files->arriving, mx_free);
	pthread_mutex_destroy(&files->lock);
	mx_free(files->directory);
	mx_free(files);
}

/* ---- coming */

static struct mx_slice digest_slice(const uint8_t *sha256)
{
	return mx_slice_of(sha256, MX_SHA256_LEN);
}

static void arrive(struct media_files *files, const uint8_t *sha256)
{
	unsigned *count;

	pthread_mutex_lock(&files->lock);
	count = mx_map_find(&files->arriving, digest_slice(sha256));
	if (!count) {
		count = mx_calloc(1, sizeof(*count));
		mx_map_put(&files->arriving, digest_slice(sha256), count);
	}
	(*count)++;
	pthread_mutex_unlock(&files->lock);
}

int media_file_keep(struct media_files *files, struct spool *spool,
		    const uint8_t sha256[MX_SHA256_LEN], struct mx_error *err)
{
	mx_autofree char *path = path_of(files, sha256);

	arrive(files, sha256);
	return spool_keep(spool, path, err);
}

void media_file_settle(struct media_files *files, const uint8_t sha256[MX_SHA256_LEN])
{
	unsigned *count;

	pthread_mutex_lock(&files->lock);
	count = mx_map_find(&files->arriving, digest_slice(sha256));
	if (count && --*count == 0)
		mx_free(mx_map_remove(&files->arriving, digest_slice(sha256)));
	pthread_mutex_unlock(&files->lock);
}

int media_file_open(const struct media_files *files, const uint8_t sha256[MX_SHA256_LEN],
		    int *ret_fd, struct mx_error *err)
{
	mx_autofree char *path = path_of(files, sha256);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0 && errno == ENOENT)
		return -MX_NOT_FOUND;
	if (fd < 0)
		return failed(err, path);
	*ret_fd = fd;
	return 0;
}

/* ---- going */

static bool is_counted(const struct media_files *files, const uint8_t *sha256)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct store_view *view = store_view_begin(files->store);
	const struct hs_call call = { .view = view, .mem = mem };
	struct media_blob blob = { 0 };
	int rc = media_db_load_blob(&call, sha256, &blob);

	store_view_end(view);
	return rc ? rc != -MX_NOT_FOUND : blob.refs > 0; /* when in doubt it stays */
}

/* An upload of the same bytes that began before is seen as arriving, and one that ended by its row;
 * one that begins after puts the file there again. */
static bool drop_locked(struct media_files *files, const uint8_t *sha256)
{
	mx_autofree char *path = path_of(files, sha256);

	if (files->holds || mx_map_find(&files->arriving, digest_slice(sha256)) ||
	    is_counted(files, sha256))
		return false;
	return unlink(path) == 0;
}

void media_file_drop(struct media_files *files, const uint8_t sha256[MX_SHA256_LEN])
{
	pthread_mutex_lock(&files->lock);
	drop_locked(files, sha256);
	pthread_mutex_unlock(&files->lock);
}

static size_t sweep_shard(struct media_files *files, const char *shard)
{
	mx_autofree char *path = mx_strf("%s/%s", files->directory, shard);
	uint8_t sha256[MX_SHA256_LEN];
	DIR *dir = opendir(path);
	const struct dirent *entry;
	size_t removed = 0;

	while (dir && (entry = readdir(dir))) {
		if (!digest_of(shard, entry->d_name, sha256))
			continue;
		pthread_mutex_lock(&files->lock);
		removed += drop_locked(files, sha256);
		pthread_mutex_unlock(&files->lock);
	}
	if (dir)
		closedir(dir);
	return removed;
}

size_t media_files_sweep(struct media_files *files)
{
	size_t removed = 0;

	for (unsigned i = 0; i < SHARDS; i++) {
		mx_autofree char *shard = mx_strf("%02x", i);

		removed += sweep_shard(files, shard);
	}
	return removed;
}

static void count_hold(struct media_files *files, int by)
{
	pthread_mutex_lock(&files->lock);
	files->holds += (unsigned)by;
	pthread_mutex_unlock(&files->lock);
}

void media_files_hold(struct media_files *files)
{
	count_hold(files, 1);
}

void media_files_release(struct media_files *files)
{
	count_hold(files, -1);
}
