#include "tests/support/invite_fixture.h"

#include "identity/binding/binding.h"
#include "identity/binding/listed.h"
#include "identity/budget_kinds.h"
#include "identity/long_term_keys.h"
#include "identity/message/message.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/crypto/ed25519.h"
#include "shared/json/canonical.h"
#include "shared/mail/address.h"
#include "shared/store/each.h"
#include "tests/support/store_fixture.h"

#include <stdio.h>
#include <stdlib.h>

#define SEED "YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1"

static struct invite_fixture *here; /* for what is called without a fixture */

int __wrap_message_mail(const struct identity_call *call, enum message_kind kind,
			const struct letter_style *style, const char *to,
			const struct template_values *values, uint64_t *ret_id,
			struct mx_error *err);
int __wrap_listed_or_bound(const struct identity_call *call, const struct threepid *threepid,
			   const char **ret_user_id);

int __wrap_threepid_parse(const char *medium, const char *address, struct mx_arena *mem,
			  struct threepid *ret_threepid, struct mx_error *err);

int __wrap_threepid_parse(const char *medium, const char *address, struct mx_arena *mem,
			  struct threepid *ret_threepid, struct mx_error *err)
{
	struct mail_address mail;
	int rc;

	*ret_threepid = (struct threepid){ medium, address };
	if (streq(medium, "msisdn"))
		return strlen(address) > 6 ? 0 : mx_fail(err, MX_INVALID_ADDRESS, "Too short");
	if (!streq(medium, "email"))
		return mx_fail(err, MX_INVALID_PARAM, "There is no medium like that");
	rc = mail_address_parse(mx_slice(address), &mail, err);
	if (rc)
		return rc;
	ret_threepid->address = mx_arena_strdup(mem, mail.folded);
	mail_address_done(&mail);
	return 0;
}

int __wrap_message_mail(const struct identity_call *call, enum message_kind kind,
			const struct letter_style *style, const char *to,
			const struct template_values *values, uint64_t *ret_id,
			struct mx_error *err)
{
	(void)call;
	(void)style;
	(void)err;
	assert_int_equal(kind, MESSAGE_INVITE);
	here->mails++;
	snprintf(here->to, sizeof(here->to), "%s", to);
	json_decref(here->values);
	here->values = json_object();
	for (size_t i = 0; i < values->len; i++) {
		const struct template_value *value = &values->items[i];

		assert_null(json_object_get(here->values, value->name));
		json_object_set_new(here->values, value->name, json_string(value->value));
	}
	*ret_id = here->mails;
	return 0;
}

int __wrap_listed_or_bound(const struct identity_call *call, const struct threepid *threepid,
			   const char **ret_user_id)
{
	(void)call;
	(void)threepid;
	if (!here->bound_user)
		return -MX_NOT_FOUND;
	*ret_user_id = here->bound_user;
	return 0;
}

/* ---- the service */

static struct long_term_keys *open_keys(const char *directory)
{
	mx_autofree char *path = mx_strf("%s/signing.key", directory);
	const struct long_term_conf conf = { .server_name = "id.example.org", .file = path };
	struct long_term_keys *keys;

	store_fixture_file(path, "ed25519 0 " SEED "\n");
	assert_int_equal(long_term_keys_new(&conf, &keys, NULL), 0);
	return keys;
}

static struct budgets *open_budgets(void)
{
	struct budget_rate rates[BUDGET_KINDS];

	for (int kind = 0; kind < BUDGET_KINDS; kind++)
		rates[kind] = (struct budget_rate){ INVITE_FIXTURE_BUDGET, MX_DAY_MS };
	return budgets_new(&(struct budgets_conf){ .kinds = BUDGET_KINDS, .rates = rates });
}

static void open_store(struct identity *identity)
{
	const struct store_table *const tables[] = { outbox_tables[0],      &invite_table,
						     &invite_address_table, &invite_index_table,
						     &ephemeral_key_table,  NULL };
	const struct outbox_kind kind = onbind_kind(identity);
	struct outbox_conf outbox = { .kinds = &kind, .kinds_len = 1 };

	assert_null(outbox_tables[1]);
	outbox.store = identity->store = store_fixture_open(tables);
	assert_int_equal(outbox_new(&outbox, &identity->outbox, NULL), 0);
}

static void begin(struct invite_fixture *fixture)
{
	fixture->call.txn = store_txn_begin(fixture->identity.store);
	fixture->call.now_ms = mx_now_ms();
}

int invite_fixture_setup(void **state)
{
	struct invite_fixture *fixture = mx_calloc(1, sizeof(*fixture));

	mx_crypto_init();
	mx_time_fake(INVITE_FIXTURE_MS, 1000);
	fixture->conf.server_name = mx_strdup("id.example.org");
	fixture->conf.public_base_url = mx_strdup("https://id.example.org");
	fixture->conf.invites.local_max = fixture->conf.invites.domain_max = 3;
	fixture->directory = store_fixture_directory();
	fixture->identity.conf = &fixture->conf;
	fixture->identity.keys = open_keys(fixture->directory);
	fixture->identity.budgets = open_budgets();
	open_store(&fixture->identity);
	fixture->call.identity = &fixture->identity;
	fixture->call.mem = mx_arena_new(0);
	begin(fixture);
	*state = here = fixture;
	return 0;
}

int invite_fixture_teardown(void **state)
{
	struct invite_fixture *fixture = *state;

	store_txn_abort(fixture->call.txn);
	outbox_free(fixture->identity.outbox);
	store_close(fixture->identity.store);
	long_term_keys_free(fixture->identity.keys);
	budgets_free(fixture->identity.budgets);
	mx_arena_free(fixture->call.mem);
	store_fixture_directory_remove(fixture->directory);
	json_decref(fixture->values);
	mx_free(fixture->conf.server_name);
	mx_free(fixture->conf.public_base_url);
	mx_free(fixture);
	mx_time_fake(-1, -1);
	return 0;
}

void invite_fixture_commit(struct invite_fixture *fixture)
{
	assert_int_equal(store_txn_commit(fixture->call.txn, NULL), 0);
	begin(fixture);
}

void invite_fixture_abort(struct invite_fixture *fixture)
{
	store_txn_abort(fixture->call.txn);
	begin(fixture);
}

/* ---- what is done with it */

int invite_fixture_invite(struct invite_fixture *fixture, const char *address, const char *more,
			  struct invite_answer *ret_answer)
{
	static const struct letter_style style;
	json_t *body = json_loads(more ? more : "{}", 0, NULL);
	struct invite_asking asking = {
		.medium = "email",
		.address = address,
		.room_id = "!room:example.com",
		.sender = "@bob:example.com",
		.account = "@bob:example.com",
		.payer = "@bob:example.com",
		.style = &style,
	};
	const char *medium = json_string_value(json_object_get(body, "medium"));
	const char *room_id = json_string_value(json_object_get(body, "room_id"));
	const char *sender = json_string_value(json_object_get(body, "sender"));
	int rc;

	assert_non_null(body);
	asking.body = body;
	asking.medium = medium ? medium : asking.medium;
	asking.room_id = room_id ? room_id : asking.room_id;
	asking.sender = sender ? sender : asking.sender;
	fixture->err = (struct mx_error){ 0 };
	rc = invite_store(&fixture->call, &asking, ret_answer, &fixture->err);
	json_decref(body);
	return rc;
}

const char *invite_fixture_value(const struct invite_fixture *fixture, const char *name)
{
	const char *value = json_string_value(json_object_get(fixture->values, name));

	return value ? value : "";
}

void invite_fixture_bind(struct invite_fixture *fixture, const char *address, const char *user_id)
{
	const struct threepid threepid = { "email", address };
	json_t *association = json_pack("{s:s, s:s, s:s, s:I, s:I, s:I}", "medium", "email",
					"address", address, "mxid", user_id, "ts",
					(json_int_t)INVITE_FIXTURE_MS, "not_before",
					(json_int_t)INVITE_FIXTURE_MS, "not_after",
					(json_int_t)(INVITE_FIXTURE_MS + BINDING_VALID_MS));
	mx_str_auto text = { 0 };

	assert_int_equal(long_term_sign(fixture->identity.keys, association, NULL), 0);
	assert_int_equal(mx_canonical_json(association, NULL, &text, NULL), 0);
	assert_int_equal(invite_bind(&fixture->call, &threepid, user_id, mx_str_slice(&text), NULL),
			 0);
	json_decref(association);
}

static void count(void *ctx, const struct store_row *row)
{
	size_t *rows = ctx;

	(void)row;
	++*rows;
}

size_t invite_fixture_rows(struct invite_fixture *fixture)
{
	const struct store_table *const tables[] = { &invite_table, &invite_address_table,
						     &invite_index_table, &ephemeral_key_table };
	size_t rows = 0;

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		assert_int_equal(store_each(fixture->identity.store, tables[i], count, &rows, NULL),
				 0);
	return rows;
}
