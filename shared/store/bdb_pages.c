#include "shared/store/bdb_pages.h"

#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/rand.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK_PAGES 256u /* read at once */
#define CHUNK_BYTES ((uint64_t)CHUNK_PAGES * STORE_PAGE_SIZE)

/* Every page begins with its log position (8 bytes) and its number. */
#define AT_NUMBER 8
#define AT_SUM    28 /* of 4 bytes, taken as zeros in the sum */
/* Page 0 describes the file; its sum covers the first 512 bytes and nothing is behind them. */
#define META_BYTES    512
#define AT_META_MAGIC 12
#define AT_META_SIZE  20
#define AT_META_LAST  32
#define AT_META_SUM   492
#define MAGIC_BTREE   0x053162u

static uint32_t number_at(const uint8_t *page, size_t at)
{
	uint32_t number;

	memcpy(&number, page + at, sizeof(number));
	return number;
}

/* sum = sum * 33 + byte, four bytes a step: the steps of one would wait for each other. */
static uint32_t sum_add(uint32_t sum, const uint8_t *bytes, size_t len)
{
	const uint32_t by1 = 33, by2 = by1 * 33, by3 = by2 * 33, by4 = by3 * 33;
	size_t i = 0;

	for (; i + 4 <= len; i += 4)
		sum = sum * by4 + bytes[i] * by3 + bytes[i + 1] * by2 + bytes[i + 2] * by1 +
		      bytes[i + 3];
	for (; i < len; i++)
		sum = sum * by1 + bytes[i];
	return sum;
}

static bool sum_is_right(const uint8_t *page, size_t len, size_t at_sum)
{
	static const uint8_t zeros[sizeof(uint32_t)];
	uint32_t sum = sum_add(0, page, at_sum);

	sum = sum_add(sum, zeros, sizeof(zeros));
	sum = sum_add(sum, page + at_sum + sizeof(zeros), len - at_sum - sizeof(zeros));
	return sum == number_at(page, at_sum);
}

static bool is_all_zero(const uint8_t *bytes, size_t len)
{
	return len == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, len - 1) == 0);
}

static bool meta_is_right(const uint8_t *page)
{
	return number_at(page, AT_META_MAGIC) == MAGIC_BTREE &&
	       number_at(page, AT_META_SIZE) == STORE_PAGE_SIZE &&
	       sum_is_right(page, META_BYTES, AT_META_SUM) &&
	       is_all_zero(page + META_BYTES, STORE_PAGE_SIZE - META_BYTES);
}

enum store_page store_page_look(const uint8_t page[STORE_PAGE_SIZE], uint32_t number)
{
	bool right;

	if (is_all_zero(page, STORE_PAGE_SIZE))
		return STORE_PAGE_EMPTY;
	right = number == 0 ? meta_is_right(page) : sum_is_right(page, STORE_PAGE_SIZE, AT_SUM);
	return right && number_at(page, AT_NUMBER) == number ? STORE_PAGE_GOOD : STORE_PAGE_BAD;
}

struct walk {
	const struct store_pages *pages;
	int fd;
	uint8_t *chunk;
	uint64_t file_pages, last_page; /* last_page: as page 0 tells it */
	uint64_t empty;
	struct mx_error *err;
};

static int page_check(struct walk *walk, const uint8_t *page, uint64_t number)
{
	switch (store_page_look(page, (uint32_t)number)) {
	case STORE_PAGE_GOOD: return 0;
	case STORE_PAGE_EMPTY:
		if (walk->pages->closed && number <= walk->last_page)
			break;
		walk->empty++;
		return 0;
	case STORE_PAGE_BAD: break;
	}
	return mx_fail(walk->err, MX_STORE, "%s is damaged: page %" PRIu64 " fails its check",
		       walk->pages->path, number);
}

static int chunk_check(struct walk *walk, uint64_t first)
{
	uint64_t len = walk->file_pages - first < CHUNK_PAGES ? walk->file_pages - first
							      : CHUNK_PAGES;
	ssize_t want = (ssize_t)(len * STORE_PAGE_SIZE);
	int rc = 0;

	if (pread(walk->fd, walk->chunk, (size_t)want, (off_t)(first * STORE_PAGE_SIZE)) != want)
		return mx_fail(walk->err, MX_STORE, "%s cannot be read at page %" PRIu64,
			       walk->pages->path, first);
	for (uint64_t i = 0; rc == 0 && i < len; i++)
		rc = page_check(walk, walk->chunk + i * STORE_PAGE_SIZE, first + i);
	return rc;
}

/* After a crash the file may still be shorter than page 0 says: recovery makes it longer. */
static int length_check(struct walk *walk, int64_t length)
{
	uint8_t meta[STORE_PAGE_SIZE];

	if (length % STORE_PAGE_SIZE)
		return mx_fail(walk->err, MX_STORE,
			       "%s is damaged: its length of %" PRId64
			       " bytes is no number of pages",
			       walk->pages->path, length);
	walk->file_pages = (uint64_t)length / STORE_PAGE_SIZE;
	if (length == 0 && walk->pages->closed)
		return mx_fail(walk->err, MX_STORE, "%s is damaged: it is empty",
			       walk->pages->path);
	if (length == 0 || pread(walk->fd, meta, sizeof(meta), 0) != sizeof(meta))
		return 0;
	walk->last_page = number_at(meta, AT_META_LAST);
	if (!walk->pages->closed && walk->file_pages <= walk->last_page)
		walk->empty = walk->last_page + 1 - walk->file_pages;
	if (!walk->pages->closed || store_page_look(meta, 0) != STORE_PAGE_GOOD ||
	    walk->file_pages > walk->last_page)
		return 0; /* a bad page 0 is found in its turn */
	return mx_fail(walk->err, MX_STORE,
		       "%s is cut short: page %" PRIu64 " is the last, %" PRIu64 " are needed",
		       walk->pages->path, walk->file_pages - 1, walk->last_page + 1);
}

static uint64_t chunk_step(const struct walk *walk)
{
	uint64_t bytes = walk->file_pages * STORE_PAGE_SIZE, most = walk->pages->bytes_max;

	return most == 0 || bytes <= most ? 1 : bytes / most + 1;
}

/* Page 0 is looked at each time, the rest from a random start when it is too much. */
static int walk_run(struct walk *walk)
{
	uint64_t step = chunk_step(walk);
	uint64_t start = step > 1 ? mx_random_below((uint32_t)step) : 0;
	int rc = walk->file_pages > 0 && start > 0 ? chunk_check(walk, 0) : 0;

	for (uint64_t first = start * CHUNK_PAGES; rc == 0 && first < walk->file_pages;
	     first += step * CHUNK_PAGES)
		rc = chunk_check(walk, first);
	return rc;
}

int store_pages_check(const struct store_pages *pages, uint64_t *ret_empty, struct mx_error *err)
{
	struct walk walk = { .pages = pages, .err = err };
	struct stat stat;
	int rc;

	walk.fd = open(pages->path, O_RDONLY | O_CLOEXEC);
	if (walk.fd < 0 || fstat(walk.fd, &stat)) {
		rc = mx_fail(err, MX_STORE, "%s cannot be read: %s", pages->path, strerror(errno));
	} else {
		walk.chunk = mx_alloc(CHUNK_BYTES);
		rc = length_check(&walk, stat.st_size);
		rc = rc ? rc : walk_run(&walk);
	}
	mx_free(walk.chunk);
	if (walk.fd >= 0)
		close(walk.fd);
	*ret_empty = walk.empty;
	return rc;
}
