#include "identity/admin/person.h"

#include "identity/account/account.h"
#include "identity/account/account_db.h"
#include "identity/account/terms_db.h"
#include "identity/audit/audit.h"
#include "identity/bind/bind.h"
#include "identity/binding/binding.h"
#include "identity/binding/listed.h"
#include "identity/binding/lookup.h"
#include "identity/identity.h"
#include "identity/identity_conf.h"
#include "identity/invite/invite.h"
#include "identity/long_term_keys.h"
#include "identity/suppress/suppression.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/crypto/ed25519.h"
#include "shared/json/json.h"
#include "shared/mail/address.h"
#include "shared/mail/mailer.h"
#include "shared/outbox/outbox.h"
#include "shared/store/each.h"
#include "shared/threepid/claim.h"
#include "tests/support/store_fixture.h"

#include <stdio.h>
#include <sys/stat.h>

#define NOW INT64_C(1700000000000)
#define ANN "@ann:hs.test"
#define BOB "@bob:hs.test"

static const struct threepid mail = { "email", "ann@example.org" };
static const struct threepid phone = { "msisdn", "447700900001" };

/* Tables with something about people in them. */
static const struct store_table *const person_tables[] = {
	&account_table,
	&account_token_table,
	&account_user_token_table,
	&terms_table,
	&binding_table,
	&binding_user_table,
	&binding_log_table,
	&lookup_table,
	&claim_table,
	&claim_address_table,
	&claim_end_table,
	&invite_table,
	&invite_address_table,
	&invite_index_table,
	&ephemeral_key_table,
	&audit_table,
	&suppression_table,
	&listed_table,
	NULL,
};

static struct identity_conf conf = {
	.server_name = (char *)"id.example.org",
	.public_base_url = (char *)"https://id.example.org",
};
static bool tells_owner;

struct world {
	struct identity identity;
	struct identity_call call;
	char *directory;
};

static void open_store(struct identity *identity)
{
	const struct store_table *tables[32] = { outbox_tables[0], &pepper_table, &audit_key_table,
						 &listed_table };

	for (size_t i = 0; person_tables[i]; i++)
		tables[4 + i] = person_tables[i];
	identity->store = store_fixture_open(tables);
}

static void open_outbox(struct identity *identity)
{
	const struct mailer_conf mailer = { .smtp = { .host = "localhost" },
					    .from = "id@id.example.org" };
	struct outbox_kind kinds[2] = { onbind_kind(identity) };

	assert_int_equal(mailer_new(&mailer, &identity->mailer, NULL), 0);
	kinds[1] = mailer_kind(identity->mailer);
	assert_int_equal(outbox_new(&(struct outbox_conf){ .store = identity->store,
							   .kinds = kinds,
							   .kinds_len = 2 },
				    &identity->outbox, NULL),
			 0);
	mailer_use(identity->mailer, identity->outbox);
}

static void open_keys(struct world *world)
{
	mx_autofree char *path = mx_strf("%s/signing.key", world->directory);
	const struct long_term_conf keys = { .server_name = "id.example.org", .file = path };

	assert_int_equal(long_term_keys_new(&keys, &world->identity.keys, NULL), 0);
}

static int setup(void **state)
{
	struct world *world = mx_calloc(1, sizeof(*world));
	struct pepper_conf pepper = { 0 };

	mx_crypto_init();
	conf.binding.tell_owner = &tells_owner;
	world->identity.conf = &conf;
	world->directory = store_fixture_directory();
	open_keys(world);
	open_store(&world->identity);
	pepper.store = world->identity.store;
	assert_int_equal(pepper_new(&pepper, &world->identity.pepper, NULL), 0);
	assert_int_equal(audit_new(world->identity.store, &world->identity.audit, NULL), 0);
	open_outbox(&world->identity);
	world->call = (struct identity_call){
		.identity = &world->identity,
		.txn = store_txn_begin(world->identity.store),
		.mem = mx_arena_new(0),
		.now_ms = NOW,
	};
	*state = world;
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;

	store_txn_abort(world->call.txn);
	outbox_free(world->identity.outbox);
	mailer_free(world->identity.mailer);
	audit_free(world->identity.audit);
	pepper_free(world->identity.pepper);
	long_term_keys_free(world->identity.keys);
	store_close(world->identity.store);
	mx_arena_free(world->call.mem);
	store_fixture_directory_remove(world->directory);
	mx_free(world);
	return 0;
}

static void commit(struct world *world)
{
	assert_int_equal(store_txn_commit(world->call.txn, NULL), 0);
	world->call.txn = store_txn_begin(world->identity.store);
}

/* ---- what there is about people */

static void bind(struct world *world, const struct threepid *threepid, const char *user_id)
{
	struct binding binding;

	assert_int_equal(bind_directly(&world->call, threepid, user_id, &binding, NULL), 0);
	audit_note(&world->call, &(struct audit_note){ .who = "owner",
						       .what = "bind",
						       .threepid = threepid,
						       .user_id = user_id });
}

static void send_mail(struct world *world, const char *address)
{
	const struct mail letter = { .subject = "Hello", .text = "secret token" };
	struct mail_address to;
	uint64_t id;

	assert_int_equal(mail_address_parse(mx_slice(address), &to, NULL), 0);
	assert_int_equal(
		mailer_add(world->identity.mailer, world->call.txn, &to, &letter, &id, NULL), 0);
	mail_address_done(&to);
}

static void store_invite(struct world *world, const char *token, const char *address,
			 const char *sender)
{
	const struct invite invite = {
		.token = token,
		.room_id = "!room:hs.test",
		.sender = sender,
		.threepid = { "email", address },
		.created_ms = NOW,
		.ephemeral_public = { (uint8_t)token[0] },
	};

	assert_int_equal(invite_import(world->call.txn, &invite, NULL), 0);
}

static void open_session(struct world *world, const struct threepid *threepid)
{
	const struct claim_request request = {
		.threepid = *threepid,
		.address_as_sent = threepid->address,
		.client_secret = "s3cret",
	};
	const struct claim_call claims = claim_call_of(world->call);
	struct claim session;
	bool must_send;

	assert_int_equal(claim_open(&claims, &request, &session, &must_send, NULL), 0);
}

static void sign_in(struct world *world, const char *user_id)
{
	const struct terms_consent consent = {
		user_id, "privacy", "1", "https://x.test", "::1", NOW
	};
	char token[ACCOUNT_TOKEN_LEN + 1];
	bool added;

	assert_int_equal(account_open(world->call.txn, user_id, NOW, token, NULL), 0);
	assert_int_equal(terms_db_add(world->call.txn, &consent, &added), 0);
}

/* Everything about Ann, and as much about Bob. */
static void fill(struct world *world)
{
	sign_in(world, ANN);
	sign_in(world, BOB);
	bind(world, &phone, ANN);
	store_invite(world, "to ann", "ann@example.org", BOB);
	store_invite(world, "by ann", "carol@example.org", ANN);
	bind(world, &mail, ANN);
	bind(world, &(struct threepid){ "email", "bob@example.org" }, BOB);
	open_session(world, &mail);
	open_session(world, &(struct threepid){ "email", "bob@example.org" });
	send_mail(world, "Ann@Example.org");
	send_mail(world, "bob@example.org");
	commit(world);
}

static json_t *export(struct world *world, const char *user_id)
{
	struct person person = { 0 };
	json_t *all;

	assert_int_equal(person_of_user(&world->call, user_id, &person), 0);
	assert_int_equal(person_export(&world->call, &person, &all, NULL), 0);
	return all;
}

static size_t length(const json_t *object, const char *key)
{
	return json_array_size(jarr(object, key));
}

/* ---- */

static void an_export_has_all_that_is_stored(void **state)
{
	struct world *world = *state;
	json_auto_t *all = NULL;
	json_t *address;

	fill(world);
	all = export(world, ANN);
	assert_int_equal(length(all, "addresses"), 2);
	address = json_array_get(jarr(all, "addresses"), 0);
	assert_string_equal(jstr(address, "address"), "ann@example.org");
	assert_string_equal(jstr(jobj(address, "binding"), "user_id"), ANN);
	assert_int_equal(length(address, "sessions"), 1);
	assert_int_equal(length(address, "invites"), 1);
	assert_int_equal(length(all, "invites_sent"), 1);
	assert_int_equal(length(jobj(all, "account"), "terms"), 1);
	assert_int_equal(length(all, "audit"), 2);
	/* the mail, and what tells the homeserver of the invite */
	assert_int_equal(length(all, "outbox"), 2);
}

static void an_export_has_no_secrets_and_nobody_else(void **state)
{
	static const char *const not_there[] = { "secret", "s3cret", "bob@example.org",
						 "carol@example.org" };
	struct world *world = *state;
	mx_autofree char *text = NULL;
	json_auto_t *all = NULL;

	fill(world);
	all = export(world, ANN);
	text = mx_json_text(all);
	for (size_t i = 0; i < sizeof(not_there) / sizeof(not_there[0]); i++)
		assert_null(strstr(text, not_there[i]));
}

static bool names_ann(struct mx_slice bytes)
{
	return memmem(bytes.ptr, bytes.len, ANN, strlen(ANN)) != NULL ||
	       memmem(bytes.ptr, bytes.len, mail.address, strlen(mail.address)) != NULL ||
	       memmem(bytes.ptr, bytes.len, phone.address, strlen(phone.address)) != NULL;
}

static void count_name(void *ctx, const struct store_row *row)
{
	size_t *found = ctx;

	*found += names_ann(row->key) || names_ann(row->value);
}

/* Rows that name Ann, her address or her user id, but the tombstones of her bindings. */
static size_t rows_with_name(struct world *world)
{
	size_t found = 0;

	for (size_t i = 0; person_tables[i]; i++)
		if (person_tables[i] != &binding_table && person_tables[i] != &binding_log_table)
			assert_int_equal(store_each(world->identity.store, person_tables[i],
						    count_name, &found, NULL),
					 0);
	return found;
}

static void an_erased_user_is_in_no_row(void **state)
{
	struct world *world = *state;
	struct person person = { 0 };
	json_auto_t *counts = NULL, *all = NULL;

	fill(world);
	assert_true(rows_with_name(world) > 5);
	assert_int_equal(person_of_user(&world->call, ANN, &person), 0);
	assert_int_equal(person_erase(&world->call, &person, &counts, NULL), 0);
	commit(world);
	assert_true(jbool(counts, "account", false));
	assert_int_equal(jint(counts, "bindings", 0), 2);
	assert_int_equal(jint(counts, "sessions", 0), 1);
	assert_int_equal(jint(counts, "invites", 0), 2);
	assert_int_equal(jint(counts, "outbox", 0), 2);
	assert_int_equal(rows_with_name(world), 0);
	all = export(world, ANN);
	assert_int_equal(length(all, "addresses"), 0);
	assert_int_equal(length(all, "outbox"), 0);
}

static void an_erasure_leaves_others_alone(void **state)
{
	struct world *world = *state;
	json_auto_t *before = NULL, *after = NULL, *counts = NULL;
	struct person person = { 0 };

	fill(world);
	before = export(world, BOB);
	assert_int_equal(person_of_user(&world->call, ANN, &person), 0);
	assert_int_equal(person_erase(&world->call, &person, &counts, NULL), 0);
	commit(world);
	after = export(world, BOB);
	/* But the invite that he sent to her. */
	assert_int_equal(length(before, "invites_sent"), 1);
	assert_int_equal(length(after, "invites_sent"), 0);
	json_object_del(before, "invites_sent");
	json_object_del(after, "invites_sent");
	assert_true(json_equal(before, after));
}

static void an_erased_address_is_found_no_more(void **state)
{
	struct world *world = *state;
	struct person person;
	struct binding binding;
	struct account_summary account;
	json_auto_t *counts = NULL;

	fill(world);
	person = person_of_address(&world->call, &mail);
	assert_int_equal(person_erase(&world->call, &person, &counts, NULL), 0);
	commit(world);
	assert_int_equal(binding_find(&world->call, &mail, &binding), -MX_NOT_FOUND);
	assert_int_equal(binding_find(&world->call, &phone, &binding), 0);
	assert_int_equal(account_show(&world->call, ANN, &account, NULL), 0);
	assert_int_equal(account.tokens, 1);
}

static void what_another_directory_lists_is_exported_and_stays(void **state)
{
	const struct listed listed = { mail, BOB, "staff" };
	struct world *world = *state;
	json_auto_t *all = NULL, *counts = NULL;
	struct person person;
	struct listed found;

	listed_put(world->call.txn, &listed, world->call.mem);
	commit(world);
	person = person_of_address(&world->call, &mail);
	assert_int_equal(person_export(&world->call, &person, &all, NULL), 0);
	assert_string_equal(
		jstr(jobj(json_array_get(jarr(all, "addresses"), 0), "listed"), "source"), "staff");
	assert_int_equal(person_erase(&world->call, &person, &counts, NULL), 0);
	commit(world);
	assert_int_equal(listed_find(&world->call, &mail, &found), 0);
}

static void whom_nobody_knows_can_be_erased(void **state)
{
	struct world *world = *state;
	struct person person = person_of_address(&world->call, &mail);
	json_auto_t *counts = NULL;

	assert_int_equal(person_erase(&world->call, &person, &counts, NULL), 0);
	assert_false(jbool(counts, "account", true));
	assert_int_equal(jint(counts, "bindings", 1), 0);
	commit(world);
	assert_int_equal(rows_with_name(world), 0);
}

#define person_test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		person_test(an_export_has_all_that_is_stored),
		person_test(an_export_has_no_secrets_and_nobody_else),
		person_test(an_erased_user_is_in_no_row),
		person_test(an_erasure_leaves_others_alone),
		person_test(an_erased_address_is_found_no_more),
		person_test(what_another_directory_lists_is_exported_and_stays),
		person_test(whom_nobody_knows_can_be_erased),
	};

	return cmocka_run_group_tests_name("identity/admin/person", tests, NULL, NULL);
}
