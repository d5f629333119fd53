#include "identity/binding/lookup.h"
#include "identity/binding/lookup_hash.h"
#include "shared/core/base64.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "tests/support/binding_fixture.h"

#define ALICE "@alice:example.org"

/* The text of an address's hash with the pepper of now. */
static struct mx_str hash_of(struct binding_fixture *f, const char *address)
{
	const struct threepid threepid = { "email", address };
	uint8_t hash[LOOKUP_HASH_LEN];
	char pepper[PEPPER_MAX + 1];
	struct mx_str text = { 0 };

	pepper_current(f->identity.pepper, pepper);
	lookup_hash(&threepid, pepper, hash);
	mx_base64url_add(&text, hash, sizeof(hash));
	return text;
}

static void a_hash_leads_back_to_its_address(void **state)
{
	struct binding_fixture *f = *state;
	mx_str_auto text = hash_of(f, "b@example.org");
	struct threepid threepid;

	binding_fixture_bind(f, "a@example.org", ALICE);
	binding_fixture_bind(f, "b@example.org", ALICE);
	binding_fixture_read(f);
	assert_int_equal(binding_of_hash(&f->call, mx_str_slice(&text), &threepid, NULL), 0);
	assert_string_equal(threepid.medium, "email");
	assert_string_equal(threepid.address, "b@example.org");
}

static void the_hash_of_nobody_is_not_found(void **state)
{
	struct binding_fixture *f = *state;
	mx_str_auto text = hash_of(f, "c@example.org");
	struct threepid threepid;

	binding_fixture_bind(f, "c@example.org", ALICE);
	binding_fixture_bind(f, "c@example.org", NULL);
	binding_fixture_read(f);
	assert_int_equal(binding_of_hash(&f->call, mx_str_slice(&text), &threepid, NULL),
			 -MX_NOT_FOUND);
}

static void what_is_no_hash_is_refused(void **state)
{
	struct binding_fixture *f = *state;
	struct threepid threepid;

	binding_fixture_read(f);
	assert_int_equal(binding_of_hash(&f->call, MX_SLICE("a@example.org"), &threepid, NULL),
			 -MX_INVALID_PARAM);
}

static void the_addresses_of_a_user_come_page_by_page(void **state)
{
	struct binding_fixture *f = *state;
	struct page page = { .limit = 2 };
	struct binding_list list;

	binding_fixture_bind(f, "a@example.org", ALICE);
	binding_fixture_bind(f, "b@example.org", ALICE);
	binding_fixture_bind(f, "c@example.org", ALICE);
	binding_fixture_bind(f, "d@example.org", "@bob:example.org");
	binding_fixture_read(f);
	assert_int_equal(binding_of_user(&f->call, ALICE, &page, &list), 0);
	assert_int_equal(list.len, 2);
	assert_string_equal(list.items[1].address, "b@example.org");
	page.after = list.next;
	assert_int_equal(binding_of_user(&f->call, ALICE, &page, &list), 0);
	assert_int_equal(list.len, 1);
	assert_string_equal(list.items[0].address, "c@example.org");
	assert_int_equal(list.next.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		binding_test(a_hash_leads_back_to_its_address),
		binding_test(the_hash_of_nobody_is_not_found),
		binding_test(what_is_no_hash_is_refused),
		binding_test(the_addresses_of_a_user_come_page_by_page),
	};

	return cmocka_run_group_tests_name("binding/lookup_owner", tests, NULL, NULL);
}
