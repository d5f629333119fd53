#include "identity/identity_conf.h"

#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/daemon/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define NEEDED_BUT_KEYS "server_name: a.test\npublic_base_url: https://id.a.test\n"
#define NEEDED          NEEDED_BUT_KEYS "keys: { signing_file: /k }\n"

static const struct daemon_app app = { .name = "trinity-identity",
				       .conf_schema = &identity_conf_schema };

static struct conf *parse(const char *text)
{
	struct mx_error err = { 0 };
	struct conf *conf = NULL;

	if (conf_parse(&app, "f.yaml", mx_slice(text), &conf, &err))
		fail_msg("%s", err.text);
	return conf;
}

static void assert_refused(const char *text, const char *why)
{
	struct conf *conf = parse(text);
	struct mx_error err = { 0 };

	assert_int_equal(identity_conf_check(conf_values(conf), &err), -MX_BAD_CONFIG);
	assert_string_equal(err.text, why);
	conf_free(conf);
}

static void what_is_absent_has_its_default(void **state)
{
	struct conf *conf = parse(NEEDED);
	const struct identity_conf *values = conf_values(conf);

	(void)state;
	assert_int_equal(identity_conf_check(conf_values(conf), NULL), 0);
	assert_null(values->mail.relay);
	assert_string_equal(values->templates.brand, "default");
	assert_string_equal(values->templates.language, "en");
	assert_true(*values->validation.landing_page);
	assert_false(*values->validation.next_link_http);
	assert_true(*values->binding.tell_owner);
	assert_int_equal(values->lookup.pepper_days, 7);
	assert_int_equal(values->invites.expire_days, 0);
	assert_int_equal(values->limits.mail_address.burst, 3);
	assert_int_equal(values->limits.mail_address.per_day, 72);
	assert_int_equal(values->limits.lookup_misses.per_day, 100000);
	conf_free(conf);
}

static void what_is_there_stays(void **state)
{
	struct conf *conf = parse(
		NEEDED "mail: { relay: mx.test, tls: implicit, from: 'A <a@b.test>', port: 2465 }\n"
		       "limits: { requests: { per_second: 7 }, invites: { burst: 1 } }\n"
		       "lookup: { plain: false, pepper_days: 1 }\n"
		       "endpoints: { off: [ v1_lookup, invites ] }\n");
	const struct identity_conf *values = conf_values(conf);

	(void)state;
	assert_int_equal(identity_conf_check(conf_values(conf), NULL), 0);
	assert_int_equal(values->mail.tls, CONF_MAIL_IMPLICIT);
	assert_int_equal(values->mail.port, 2465);
	assert_int_equal(values->limits.requests.burst, 7);
	assert_int_equal(values->limits.invites.burst, 1);
	assert_int_equal(values->limits.invites.per_day, 288);
	assert_false(*values->lookup.plain);
	assert_int_equal(values->endpoints.off_count, 2);
	conf_free(conf);
}

static void the_base_url_has_no_slash_at_its_end(void **state)
{
	struct conf *conf = parse("server_name: a.test\nkeys: { signing_file: /k }\n"
				  "public_base_url: https://id.a.test/x//\n");
	const struct identity_conf *values = conf_values(conf);

	(void)state;
	assert_int_equal(identity_conf_check(conf_values(conf), NULL), 0);
	assert_string_equal(values->public_base_url, "https://id.a.test/x");
	conf_free(conf);
}

static void the_web_client_is_an_address(void **state)
{
	struct conf *conf = parse(NEEDED "invites: { web_client: 'https://chat.test/' }\n");
	const struct identity_conf *values = conf_values(conf);

	(void)state;
	assert_int_equal(identity_conf_check(conf_values(conf), NULL), 0);
	assert_string_equal(values->invites.web_client, "https://chat.test");
	conf_free(conf);
	assert_refused(NEEDED "invites: { web_client: 'chat.test' }\n",
		       "invites.web_client: chat.test is no http:// or https:// URL");
}

static void terms_are_documents_in_languages(void **state)
{
	struct conf *conf = parse(
		NEEDED "terms: { documents: [ { id: privacy, version: '2', languages: [\n"
		       "  { language: en, name: Privacy, url: 'https://a.test/p' },\n"
		       "  { language: de, name: Datenschutz, url: 'https://a.test/d' } ] } ] }\n");
	const struct identity_conf *values = conf_values(conf);

	(void)state;
	assert_int_equal(identity_conf_check(conf_values(conf), NULL), 0);
	assert_int_equal(values->terms.documents_count, 1);
	assert_string_equal(values->terms.documents[0].version, "2");
	assert_string_equal(values->terms.documents[0].languages[1].url, "https://a.test/d");
	conf_free(conf);
}

static void what_cannot_work_is_refused(void **state)
{
	(void)state;
	assert_refused("server_name: 'no name'\npublic_base_url: https://a\nkeys: {}\n",
		       "server_name: no name is no Matrix server name");
	assert_refused(NEEDED_BUT_KEYS "keys: {}\n", "keys.signing_file is missing");
	assert_refused(NEEDED_BUT_KEYS "keys: { signing_file: /k, revoked: [ abc ] }\n",
		       "keys.revoked: abc is no public key");
	assert_refused("server_name: a.test\npublic_base_url: id.a.test\n"
		       "keys: { signing_file: /k }\n",
		       "public_base_url: id.a.test is no http:// or https:// URL");
	assert_refused(
		NEEDED "endpoints: { off: [ pubkey ] }\n",
		"endpoints.off: there is no group pubkey, only accounts, lookup, validation, "
		"binding, invites, v1_lookup, v1_validation, v1_binding, v1_invites");
	assert_refused(NEEDED "mail: { relay: mx.test }\n", "mail.from is missing");
	assert_refused(NEEDED "mail: { relay: mx.test, from: a@b.test, user: u }\n",
		       "mail.user and mail.password_file need each other");
	assert_refused(NEEDED "lookup: { pepper_days: 36501 }\n",
		       "lookup.pepper_days must be at most 36500");
	assert_refused(NEEDED "limits: { invites: { per_day: 1000001 } }\n",
		       "limits.invites must be at most 1000000");
}

static void terms_that_nobody_could_read_are_refused(void **state)
{
	(void)state;
	assert_refused(NEEDED "terms: { documents: [ { id: p, version: '1' } ] }\n",
		       "terms.documents: p needs 1 to 64 languages");
	assert_refused(NEEDED "terms: { documents: [ { id: p, version: '1', languages: [ { "
			      "language: en, name: P, url: 'javascript:x' } ] } ] }\n",
		       "terms.documents: javascript:x is no http:// or https:// URL");
	assert_refused(NEEDED "terms: { documents: [ { id: p, version: '1', languages: [ { "
			      "language: version, name: P, url: 'https://x' } ] } ] }\n",
		       "terms.documents: version is no language");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_absent_has_its_default),
		cmocka_unit_test(what_is_there_stays),
		cmocka_unit_test(the_base_url_has_no_slash_at_its_end),
		cmocka_unit_test(the_web_client_is_an_address),
		cmocka_unit_test(terms_are_documents_in_languages),
		cmocka_unit_test(what_cannot_work_is_refused),
		cmocka_unit_test(terms_that_nobody_could_read_are_refused),
	};

	return cmocka_run_group_tests_name("identity/conf", tests, NULL, NULL);
}
