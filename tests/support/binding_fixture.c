#include "tests/support/binding_fixture.h"

#include "identity/binding/listed.h"
#include "identity/binding/lookup.h"
#include "identity/long_term_keys.h"
#include "identity/replication/replication.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/crypto/ed25519.h"

static void open_keys(struct binding_fixture *f)
{
	mx_autofree char *path = mx_strf("%s/signing.key", f->directory);
	const struct long_term_conf conf = { .server_name = "id.example.org", .file = path };
	struct mx_error err = { 0 };

	store_fixture_file(path, "ed25519 0 YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1\n");
	if (long_term_keys_new(&conf, &f->identity.keys, &err))
		fail_msg("%s", err.text);
}

int binding_fixture_setup(void **state)
{
	static const struct store_table *const tables[] = {
		&binding_table, &binding_user_table,     &binding_log_table, &lookup_table,
		&pepper_table,  &replication_peer_table, &listed_table,      NULL
	};
	struct binding_fixture *f = mx_calloc(1, sizeof(*f));
	struct pepper_conf pepper = { 0 };

	mx_crypto_init();
	mx_time_fake(BINDING_FIXTURE_NOW, 0);
	f->directory = store_fixture_directory();
	open_keys(f);
	f->identity.conf = &f->conf;
	f->identity.store = pepper.store = store_fixture_open(tables);
	assert_int_equal(pepper_new(&pepper, &f->identity.pepper, NULL), 0);
	f->call.identity = &f->identity;
	f->call.mem = mx_arena_new(0);
	f->call.now_ms = BINDING_FIXTURE_NOW;
	binding_fixture_write(f);
	*state = f;
	return 0;
}

int binding_fixture_teardown(void **state)
{
	struct binding_fixture *f = *state;

	store_txn_abort(f->call.txn);
	store_view_end(f->call.view);
	mx_arena_free(f->call.mem);
	pepper_free(f->identity.pepper);
	store_close(f->identity.store);
	long_term_keys_free(f->identity.keys);
	store_fixture_directory_remove(f->directory);
	mx_time_fake(-1, -1);
	mx_free(f);
	return 0;
}

void binding_fixture_write(struct binding_fixture *f)
{
	store_fixture_keep(&f->call.txn, &f->call.view);
	f->call.txn = store_txn_begin(f->identity.store);
}

void binding_fixture_read(struct binding_fixture *f)
{
	store_fixture_keep(&f->call.txn, &f->call.view);
	f->call.view = store_view_begin(f->identity.store);
}

void binding_fixture_at(struct binding_fixture *f, int64_t now_ms)
{
	mx_time_fake(now_ms, now_ms);
	f->call.now_ms = now_ms;
}

void binding_fixture_bind(struct binding_fixture *f, const char *address, const char *user_id)
{
	const struct threepid threepid = { "email", address };
	struct binding binding;

	binding_fixture_write(f);
	assert_int_equal(binding_make(&f->call, &threepid, user_id, &binding, NULL), 0);
	assert_true(binding_put(&f->call, &binding));
	binding_fixture_write(f);
}
