#include "homeserver/account/registration_token.h"

#include "shared/core/error.h"
#include "tests/support/hs_fixture.h"

static const char *add(struct hs_fixture *f, struct registration_token token)
{
	const char *text;

	assert_int_equal(registration_token_add(&f->call, &token, &text, NULL), 0);
	hs_fixture_write(f);
	return text;
}

static int use(struct hs_fixture *f, const char *text)
{
	int rc = registration_token_use(&f->call, text, NULL);

	hs_fixture_write(f);
	return rc;
}

static void a_token_is_good_for_its_uses(void **state)
{
	add(*state, (struct registration_token){ .text = "two", .uses_max = 2 });
	assert_int_equal(use(*state, "two"), 0);
	assert_int_equal(use(*state, "two"), 0);
	assert_int_equal(use(*state, "two"), -MX_FORBIDDEN);
	assert_int_equal(use(*state, "three"), -MX_FORBIDDEN);
}

static void a_token_is_good_until_its_time(void **state)
{
	struct hs_fixture *f = *state;

	add(f, (struct registration_token){ .text = "t", .until_ms = HS_FIXTURE_NOW + 10 });
	assert_true(registration_token_is_good(&f->call, "t"));
	hs_fixture_at(f, HS_FIXTURE_NOW + 10);
	assert_false(registration_token_is_good(&f->call, "t"));
	assert_int_equal(use(f, "t"), -MX_FORBIDDEN);
}

static void the_last_use_is_had_by_one(void **state)
{
	struct hs_fixture *f = *state;
	struct store_txn *first;

	add(f, (struct registration_token){ .text = "one", .uses_max = 1 });
	first = f->call.txn;
	assert_int_equal(registration_token_use(&f->call, "one", NULL), 0);
	f->call.txn = store_txn_begin(f->hs.store);
	assert_int_equal(registration_token_use(&f->call, "one", NULL), 0);
	assert_int_equal(store_txn_commit(first, NULL), 0);
	assert_int_equal(store_txn_commit(f->call.txn, NULL), -MX_CONFLICT);
	f->call.txn = store_txn_begin(f->hs.store);
}

static void a_text_is_made_up(void **state)
{
	const char *one = add(*state, (struct registration_token){ 0 });
	struct hs_fixture *f = *state;

	assert_true(registration_token_is_good(&f->call, one));
	assert_string_not_equal(one, add(*state, (struct registration_token){ 0 }));
}

static int try_text(struct hs_fixture *f, const char *text)
{
	const struct registration_token token = { .text = text };
	const char *added;

	return registration_token_add(&f->call, &token, &added, NULL);
}

static void texts_have_a_grammar(void **state)
{
	char text[66] = { 0 };

	memset(text, 'a', 64);
	assert_int_equal(try_text(*state, text), 0);
	text[64] = 'a';
	assert_int_equal(try_text(*state, text), -MX_INVALID_PARAM);
	assert_int_equal(try_text(*state, ""), -MX_INVALID_PARAM);
	assert_int_equal(try_text(*state, "a b"), -MX_INVALID_PARAM);
	assert_int_equal(try_text(*state, "-._~Zz09"), 0);
	assert_int_equal(try_text(*state, "-._~Zz09"), -MX_INVALID_PARAM);
}

static void tokens_are_listed_and_removed(void **state)
{
	struct registration_token_list list;
	struct hs_fixture *f = *state;

	add(f, (struct registration_token){ .text = "b" });
	add(f, (struct registration_token){ .text = "a", .uses_max = 3 });
	assert_int_equal(use(f, "a"), 0);
	assert_int_equal(registration_token_list(&f->call, &list), 0);
	assert_int_equal(list.len, 2);
	assert_string_equal(list.items[0].text, "a");
	assert_int_equal(list.items[0].uses, 1);
	assert_int_equal(list.items[0].uses_max, 3);
	assert_int_equal(registration_token_remove(&f->call, "a", NULL), 0);
	assert_int_equal(registration_token_remove(&f->call, "a", NULL), -MX_NOT_FOUND);
	assert_int_equal(registration_token_remove(&f->call, "a b", NULL), -MX_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hs_test(a_token_is_good_for_its_uses), hs_test(a_token_is_good_until_its_time),
		hs_test(the_last_use_is_had_by_one),   hs_test(a_text_is_made_up),
		hs_test(texts_have_a_grammar),         hs_test(tokens_are_listed_and_removed),
	};

	return cmocka_run_group_tests_name("homeserver/account/registration_token", tests, NULL,
					   NULL);
}
