#include "identity/account/terms.h"

#include "identity/account/terms_db.h"
#include "identity/identity.h"
#include "identity/identity_conf.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/json/json.h"
#include "tests/support/store_fixture.h"

#define ANN "@ann:hs.test"

static const struct store_table *const store_test_tables[] = { &terms_table, NULL };

static struct terms_language privacy_languages[] = {
	{ "en", "Privacy", "https://x.test/privacy/en" },
	{ "fr", "Vie privée", "https://x.test/privacy/fr" },
};
static struct terms_language rules_languages[] = {
	{ "en", "Rules", "https://x.test/rules/en" },
	{ "fr", "Règles", "https://x.test/rules/fr" },
};
static struct terms_document documents[] = {
	{ "privacy", "1.0", privacy_languages, 2 },
	{ "rules", "3", rules_languages, 2 },
};

static int check(void **txn, struct terms *terms)
{
	struct store_view *view = store_view_begin(store_fixture_store(txn));
	int rc = terms_check(terms, view, ANN, NULL);

	store_view_end(view);
	return rc;
}

static int accept_urls(void **txn, struct terms *terms, json_t *urls)
{
	struct identity identity = { .terms = terms };
	const struct identity_call call = { .identity = &identity, .txn = *txn, .now_ms = 1 };
	const struct terms_acceptance acceptance = { ANN, urls, "192.0.2.1" };
	int rc = terms_accept(&call, &acceptance, NULL);

	json_decref(urls);
	if (rc == 0)
		store_fixture_commit(txn);
	return rc;
}

static void without_documents_nothing_is_asked(void **txn)
{
	struct terms *terms = terms_new(NULL, 0);
	json_auto_t *json = terms_json(terms);

	assert_int_equal(check(txn, terms), 0);
	assert_int_equal(json_object_size(jobj(json, "policies")), 0);
	terms_free(terms);
}

static void documents_are_shown_with_versions_and_languages(void **txn)
{
	struct terms *terms = terms_new(documents, 2);
	json_auto_t *json = terms_json(terms);
	json_t *privacy = jobj(jobj(json, "policies"), "privacy");

	(void)txn;
	assert_string_equal(jstr(privacy, "version"), "1.0");
	assert_string_equal(jstr(jobj(privacy, "fr"), "name"), "Vie privée");
	assert_string_equal(jstr(jobj(privacy, "en"), "url"), "https://x.test/privacy/en");
	terms_free(terms);
}

static void each_document_counts_in_any_language(void **txn)
{
	struct terms *terms = terms_new(documents, 2);

	assert_int_equal(check(txn, terms), -MX_TERMS_NOT_SIGNED);
	assert_int_equal(accept_urls(txn, terms, json_pack("[s]", "https://x.test/privacy/en")), 0);
	assert_int_equal(check(txn, terms), -MX_TERMS_NOT_SIGNED);
	assert_int_equal(accept_urls(txn, terms, json_pack("[s]", "https://x.test/rules/fr")), 0);
	assert_int_equal(check(txn, terms), 0);
	terms_free(terms);
}

static void an_unknown_url_stores_nothing(void **txn)
{
	struct terms *terms = terms_new(documents, 2);
	json_t *urls = json_pack("[s, s, s]", "https://x.test/privacy/en",
				 "https://x.test/rules/en", "https://x.test/other");

	assert_int_equal(accept_urls(txn, terms, urls), -MX_INVALID_PARAM);
	assert_int_equal(check(txn, terms), -MX_TERMS_NOT_SIGNED);
	terms_free(terms);
}

static void a_new_version_is_asked_for_again(void **txn)
{
	struct terms_document newer[] = { documents[0], documents[1] };
	struct terms *terms = terms_new(documents, 2);
	json_t *urls = json_pack("[s, s]", "https://x.test/privacy/en", "https://x.test/rules/en");

	assert_int_equal(accept_urls(txn, terms, urls), 0);
	newer[1].version = "4";
	terms_set(terms, newer, 2);
	assert_int_equal(check(txn, terms), -MX_TERMS_NOT_SIGNED);
	terms_set(terms, documents, 2);
	assert_int_equal(check(txn, terms), 0);
	terms_free(terms);
}

static void the_same_page_may_hold_several_documents(void **txn)
{
	struct terms_language page = { "en", "All", "https://x.test/all" };
	const struct terms_document both[] = { { "privacy", "1", &page, 1 },
					       { "rules", "1", &page, 1 } };
	struct terms *terms = terms_new(both, 2);

	assert_int_equal(accept_urls(txn, terms, json_pack("[s]", "https://x.test/all")), 0);
	assert_int_equal(check(txn, terms), 0);
	terms_free(terms);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		store_test(without_documents_nothing_is_asked),
		store_test(documents_are_shown_with_versions_and_languages),
		store_test(each_document_counts_in_any_language),
		store_test(an_unknown_url_stores_nothing),
		store_test(a_new_version_is_asked_for_again),
		store_test(the_same_page_may_hold_several_documents),
	};

	return cmocka_run_group_tests_name("identity/terms", tests, NULL, NULL);
}
