#include "homeserver/media/media.h"

#include "homeserver/call.h"
#include "homeserver/hs.h"
#include "homeserver/hs_conf.h"
#include "homeserver/media/media_file.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/http/spool.h"
#include "tests/support/store_fixture.h"

#include <dirent.h>
#include <unistd.h>

#define HERE "here.example"
#define ANN  "@ann:here.example"
#define BOB  "@bob:here.example"
#define NOW  INT64_C(1700000000000)

struct fixture {
	struct hs hs;
	struct hs_conf conf;
	struct mx_arena *mem;
	char *directory;
	int64_t now_ms;
};

static int setup(void **state)
{
	struct fixture *f = mx_calloc(1, sizeof(*f));
	struct mx_error err = { 0 };

	f->mem = mx_arena_new(0);
	f->directory = store_fixture_directory();
	f->conf.server_name = mx_arena_strdup(f->mem, HERE);
	f->conf.daemon.data_directory = f->directory;
	assert_int_equal(media_conf_check(&f->conf.media, &err), 0);
	f->conf.media.pending_max = 2;
	f->hs.conf = &f->conf;
	f->hs.store = store_fixture_open(media_tables);
	f->now_ms = NOW;
	assert_int_equal(media_new(&f->hs, &f->hs.media, &err), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	media_free(f->hs.media);
	store_close(f->hs.store);
	store_fixture_directory_remove(f->directory);
	mx_arena_free(f->mem);
	mx_free(f);
	return 0;
}

static struct hs_call call_in(struct fixture *f)
{
	return (struct hs_call){ .hs = &f->hs, .mem = f->mem, .now_ms = f->now_ms };
}

static struct spool *spool_of(struct fixture *f, const char *text)
{
	const struct spool_conf conf = { .directory = f->directory };
	struct spool *spool;

	assert_int_equal(spool_new(&conf, &spool, NULL), 0);
	assert_int_equal(spool_add(spool, text, strlen(text), NULL), 0);
	return spool;
}

static int try_upload(struct fixture *f, const char *user, const char *id, const char *text,
		      const char **ret_id)
{
	const struct hs_call call = call_in(f);
	const struct media_upload upload = {
		.user = user,
		.id = id,
		.type = "text/plain",
		.name = "note.txt",
		.spool = spool_of(f, text),
	};
	int rc = media_upload(&call, &upload, ret_id, NULL);

	spool_free(upload.spool);
	return rc;
}

static const char *uploaded(struct fixture *f, const char *user, const char *text)
{
	const char *id;

	assert_int_equal(try_upload(f, user, NULL, text, &id), 0);
	return id;
}

static int find(struct fixture *f, const char *id, struct media_item *ret_item)
{
	struct hs_call call = call_in(f);
	int rc;

	call.view = store_view_begin(f->hs.store);
	rc = media_find(&call, HERE, id, ret_item, NULL);
	store_view_end(call.view);
	return rc;
}

static const char *text_of(struct fixture *f, const char *id)
{
	char *text = mx_arena_calloc(f->mem, 1, 64);
	struct media_item item;
	int fd;

	assert_int_equal(find(f, id, &item), 0);
	assert_int_equal(media_file_open(media_files_of(f->hs.media), item.sha256, &fd, NULL), 0);
	assert_int_equal(read(fd, text, 63), (ssize_t)item.size);
	close(fd);
	return text;
}

static unsigned files_below(const char *directory)
{
	unsigned count = 0;

	for (unsigned i = 0; i < 256; i++) {
		mx_autofree char *path = mx_strf("%s/media/%02x", directory, i);
		DIR *dir = opendir(path);
		const struct dirent *entry;

		assert_non_null(dir);
		while ((entry = readdir(dir)))
			count += entry->d_name[0] != '.';
		closedir(dir);
	}
	return count;
}

static struct media_usage usage_of(struct fixture *f, const char *user)
{
	struct hs_call call = call_in(f);
	struct media_usage usage;

	call.view = store_view_begin(f->hs.store);
	assert_int_equal(media_db_load_usage(&call, user, &usage), 0);
	store_view_end(call.view);
	return usage;
}

static int remove_media(struct fixture *f, const char *id)
{
	const struct hs_call call = call_in(f);

	return media_delete(&call, HERE, id, NULL);
}

static int quarantine(struct fixture *f, const char *id, bool on)
{
	const struct hs_call call = call_in(f);

	return media_quarantine(&call, HERE, id, on, NULL);
}

static const char *reserved(struct fixture *f, const char *user)
{
	const struct hs_call call = call_in(f);
	struct media_item item;

	assert_int_equal(media_reserve(&call, user, &item, NULL), 0);
	assert_int_equal(item.expires_ms, f->now_ms + MX_DAY_MS);
	return item.id;
}

/* ---- */

static void what_was_uploaded_is_there(void **state)
{
	struct fixture *f = *state;
	const char *id = uploaded(f, ANN, "hello");
	struct media_item item;

	assert_int_equal(find(f, id, &item), 0);
	assert_string_equal(item.user, ANN);
	assert_string_equal(item.type, "text/plain");
	assert_string_equal(item.name, "note.txt");
	assert_int_equal(item.size, 5);
	assert_string_equal(text_of(f, id), "hello");
}

static void nothing_at_all_may_be_uploaded(void **state)
{
	assert_string_equal(text_of(*state, uploaded(*state, ANN, "")), "");
}

static void the_same_bytes_are_there_once(void **state)
{
	struct fixture *f = *state;
	const char *first = uploaded(f, ANN, "hello"), *second = uploaded(f, BOB, "hello");

	assert_string_not_equal(first, second);
	assert_int_equal(files_below(f->directory), 1);
	assert_int_equal(remove_media(f, first), 0);
	assert_string_equal(text_of(f, second), "hello");
	assert_int_equal(remove_media(f, second), 0);
	assert_int_equal(files_below(f->directory), 0);
}

static void what_is_deleted_is_not_there(void **state)
{
	struct fixture *f = *state;
	const char *id = uploaded(f, ANN, "hello");
	struct media_item item;

	assert_int_equal(remove_media(f, id), 0);
	assert_int_equal(find(f, id, &item), -MX_NOT_FOUND);
	assert_int_equal(remove_media(f, id), -MX_NOT_FOUND);
	assert_int_equal(usage_of(f, ANN).files, 0);
	assert_int_equal(usage_of(f, ANN).bytes, 0);
}

static void odd_names_are_not_found(void **state)
{
	static const char *const odd[] = { "../../etc", "a b", "[::g]", "", "x/y" };
	struct fixture *f = *state;
	struct hs_call call = call_in(f);
	struct media_item item;
	mx_str_auto id = { 0 };

	for (int i = 0; i < 1500; i++)
		mx_str_add_char(&id, 'x');
	call.view = store_view_begin(f->hs.store);
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		assert_int_equal(media_find(&call, odd[i], "abc", &item, NULL), -MX_NOT_FOUND);
	assert_int_equal(media_find(&call, HERE, id.ptr, &item, NULL), -MX_NOT_FOUND);
	assert_int_equal(media_find(&call, HERE, "..", &item, NULL), -MX_NOT_FOUND);
	store_view_end(call.view);
}

static void a_quota_of_files_holds(void **state)
{
	struct fixture *f = *state;
	const char *id;

	f->conf.media.user_max_files = 2;
	uploaded(f, ANN, "1");
	uploaded(f, ANN, "2");
	assert_int_equal(try_upload(f, ANN, NULL, "3", &id), -MX_FORBIDDEN);
	uploaded(f, BOB, "3");
	assert_int_equal(files_below(f->directory), 3);
}

static void a_quota_of_bytes_holds(void **state)
{
	struct fixture *f = *state;
	mx_str_auto half = { 0 };
	const char *id;

	for (int i = 0; i < 600 * 1024; i++)
		mx_str_add_char(&half, 'x');
	f->conf.media.user_max_mb = 1;
	uploaded(f, ANN, half.ptr);
	assert_int_equal(try_upload(f, ANN, NULL, half.ptr, &id), -MX_FORBIDDEN);
	assert_int_equal(usage_of(f, ANN).bytes, half.len);
}

static void an_id_gets_its_content_later(void **state)
{
	struct fixture *f = *state;
	const char *id = reserved(f, ANN), *same;
	struct media_item item;

	assert_int_equal(find(f, id, &item), -MX_NOT_YET_UPLOADED);
	assert_int_equal(try_upload(f, ANN, id, "late", &same), 0);
	assert_string_equal(same, id);
	assert_string_equal(text_of(f, id), "late");
}

static void content_is_never_replaced(void **state)
{
	struct fixture *f = *state;
	const char *id = reserved(f, ANN), *same;

	assert_int_equal(try_upload(f, ANN, id, "first", &same), 0);
	assert_int_equal(try_upload(f, ANN, id, "second", &same), -MX_MEDIA_THERE);
	assert_string_equal(text_of(f, id), "first");
	assert_int_equal(files_below(f->directory), 1);
}

static void an_id_is_for_who_made_it(void **state)
{
	struct fixture *f = *state;
	const char *id = reserved(f, ANN), *same;

	assert_int_equal(try_upload(f, BOB, id, "mine", &same), -MX_FORBIDDEN);
	assert_int_equal(try_upload(f, ANN, "never-made", "x", &same), -MX_NOT_FOUND);
}

static void an_id_is_void_after_its_time(void **state)
{
	struct fixture *f = *state;
	const char *id = reserved(f, ANN), *same;
	struct media_item item;

	f->now_ms += MX_DAY_MS;
	assert_int_equal(find(f, id, &item), -MX_NOT_FOUND);
	assert_int_equal(try_upload(f, ANN, id, "too late", &same), -MX_NOT_FOUND);
	assert_int_equal(media_drop_void(&f->hs, f->now_ms), 1);
	assert_int_equal(media_drop_void(&f->hs, f->now_ms), 0);
	assert_int_equal(files_below(f->directory), 0);
}

static size_t drop_void(struct fixture *f, size_t max)
{
	struct store_txn *txn = store_txn_begin(f->hs.store);
	struct hs_call call = call_in(f);
	size_t dropped = 0;

	call.txn = txn;
	assert_int_equal(media_db_drop_void(&call, max, &dropped), 0);
	assert_int_equal(store_txn_commit(txn, NULL), 0);
	return dropped;
}

static void ids_that_wait_do_not_hold_up_those_that_are_void(void **state)
{
	struct fixture *f = *state;
	const struct hs_call call = call_in(f);
	struct hs_call later = call;
	struct media_item item;

	assert_int_equal(media_reserve(&call, BOB, &item, NULL), 0);
	later.now_ms += MX_HOUR_MS;
	assert_int_equal(media_reserve(&later, ANN, &item, NULL), 0);
	assert_int_equal(media_reserve(&later, ANN, &item, NULL), 0);
	f->now_ms += 24 * MX_HOUR_MS - 1;
	assert_int_equal(drop_void(f, 1), 0);
	f->now_ms += 1;
	assert_int_equal(drop_void(f, 1), 1);
	f->now_ms += MX_HOUR_MS;
	assert_int_equal(drop_void(f, 1), 1);
	assert_int_equal(drop_void(f, 5), 1);
	assert_int_equal(drop_void(f, 5), 0);
}

static void nobody_has_too_many_ids_that_wait(void **state)
{
	struct fixture *f = *state;
	const struct hs_call call = call_in(f);
	const char *id = reserved(f, ANN), *same;
	struct media_item item;

	reserved(f, ANN);
	assert_int_equal(media_reserve(&call, ANN, &item, NULL), -MX_LIMIT_EXCEEDED);
	reserved(f, BOB);
	assert_int_equal(try_upload(f, ANN, id, "x", &same), 0);
	reserved(f, ANN);
	f->now_ms += MX_DAY_MS;
	reserved(f, ANN);
}

static void quarantine_hides_all_copies_now_and_later(void **state)
{
	struct fixture *f = *state;
	const char *first = uploaded(f, ANN, "bad"), *second = uploaded(f, BOB, "bad"), *third;
	struct media_item item;

	assert_int_equal(quarantine(f, first, true), 0);
	assert_int_equal(find(f, second, &item), -MX_NOT_FOUND);
	assert_int_equal(remove_media(f, first), 0);
	assert_int_equal(remove_media(f, second), 0);
	third = uploaded(f, BOB, "bad");
	assert_int_equal(find(f, third, &item), -MX_NOT_FOUND);
	assert_int_equal(quarantine(f, third, false), 0);
	assert_string_equal(text_of(f, third), "bad");
	assert_int_equal(quarantine(f, "none", true), -MX_NOT_FOUND);
}

static void files_that_nobody_counts_are_swept_away(void **state)
{
	struct fixture *f = *state;
	struct media_files *files = media_files_of(f->hs.media);
	const char *id = uploaded(f, ANN, "counted");
	const uint8_t sha256[MX_SHA256_LEN] = { 0xab, 0xcd };
	struct spool *spool = spool_of(f, "left by a crash");

	assert_int_equal(media_file_keep(files, spool, sha256, NULL), 0);
	spool_free(spool);
	assert_int_equal(media_sweep(&f->hs, f->now_ms), 0); /* it is about to be counted */
	media_file_settle(files, sha256);
	media_files_hold(files);
	assert_int_equal(media_sweep(&f->hs, f->now_ms), 0);
	media_files_release(files);
	assert_int_equal(media_sweep(&f->hs, f->now_ms), 1);
	assert_string_equal(text_of(f, id), "counted");
}

static void a_users_media_are_listed(void **state)
{
	struct fixture *f = *state;
	struct hs_call call = call_in(f);
	struct media_item *items;
	struct media_after after;
	size_t len;

	for (int i = 0; i < 5; i++) {
		f->now_ms++;
		uploaded(f, ANN, "x");
	}
	uploaded(f, BOB, "y");
	call.view = store_view_begin(f->hs.store);
	assert_int_equal(media_db_list(&call, ANN, NULL, 3, &items, &len), 0);
	assert_int_equal(len, 3);
	after = (struct media_after){ items[2].created_ms, items[2].id };
	assert_int_equal(media_db_list(&call, ANN, &after, 3, &items, &len), 0);
	assert_int_equal(len, 2);
	assert_int_equal(items[1].created_ms, f->now_ms);
	store_view_end(call.view);
}

#define media_test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		media_test(what_was_uploaded_is_there),
		media_test(nothing_at_all_may_be_uploaded),
		media_test(the_same_bytes_are_there_once),
		media_test(what_is_deleted_is_not_there),
		media_test(odd_names_are_not_found),
		media_test(a_quota_of_files_holds),
		media_test(a_quota_of_bytes_holds),
		media_test(an_id_gets_its_content_later),
		media_test(content_is_never_replaced),
		media_test(an_id_is_for_who_made_it),
		media_test(an_id_is_void_after_its_time),
		media_test(ids_that_wait_do_not_hold_up_those_that_are_void),
		media_test(nobody_has_too_many_ids_that_wait),
		media_test(quarantine_hides_all_copies_now_and_later),
		media_test(files_that_nobody_counts_are_swept_away),
		media_test(a_users_media_are_listed),
	};

	return cmocka_run_group_tests_name("media/media", tests, NULL, NULL);
}
