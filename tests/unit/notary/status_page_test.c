#include "notary/status_page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static json_t *overview_with(const char *failing_server)
{
	return json_pack("{s:s, s:s, s:i, s:[{s:s, s:s, s:s, s:s}], s:{s:i, s:i}, s:[{s:s, s:i, "
			 "s:i, s:i}], s:[]}",
			 "server_name", "notary.example.org", "version", "9.9", "uptime_s", 93784,
			 "keys", "id", "ed25519:a_X", "public_key", "PUBLIC", "fingerprint",
			 "ab12 cd34", "role", "signing", "counts", "servers", 12, "conflicts", 1,
			 "failing", "server", failing_server, "failures", 3, "last_success_ts", 0,
			 "backed_off_until_ts", 0, "slow");
}

static char *page_with(const char *failing_server)
{
	json_auto_t *overview = overview_with(failing_server);
	struct mx_str page = { 0 };

	assert_non_null(overview);
	status_page_write(overview, &page);
	return mx_str_steal(&page);
}

static void the_page_names_server_keys_and_counts(void **state)
{
	char *page = page_with("dead.example");

	(void)state;
	assert_non_null(strstr(page, "<h1>Key notary notary.example.org</h1>"));
	assert_non_null(strstr(page, "<code class=\"fixed\">ab12 cd34</code>"));
	assert_non_null(strstr(page, "<dt>Servers known</dt><dd>12</dd>"));
	assert_non_null(strstr(page, "<dt>Up for</dt><dd>1 d 2 h</dd>"));
	assert_non_null(strstr(page, "dead.example"));
	free(page);
}

static void names_are_text_and_never_markup(void **state)
{
	char *page = page_with("<img src=x onerror=\"alert('1')\">&");

	(void)state;
	assert_null(strstr(page, "<img"));
	assert_non_null(
		strstr(page, "&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;&amp;"));
	free(page);
}

static void the_page_runs_no_script_and_loads_nothing(void **state)
{
	char *page = page_with("dead.example");

	(void)state;
	assert_null(strstr(page, "<script"));
	assert_null(strstr(page, "src="));
	assert_null(strstr(page, "href="));
	assert_null(strstr(page, "url("));
	free(page);
}

static void every_column_has_a_scope_and_the_page_a_language(void **state)
{
	char *page = page_with("dead.example");

	(void)state;
	assert_non_null(strstr(page, "<html lang=\"en\">"));
	assert_non_null(strstr(page, "name=\"viewport\""));
	assert_null(strstr(page, "<th>"));
	free(page);
}

static void the_snippets_pin_the_signing_keys(void **state)
{
	char *page = page_with("dead.example");

	(void)state;
	assert_non_null(strstr(page, "&quot;ed25519:a_X&quot;: &quot;PUBLIC&quot;"));
	assert_non_null(strstr(page, "key_id: ed25519:a_X\n        public_key: PUBLIC"));
	free(page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_page_names_server_keys_and_counts),
		cmocka_unit_test(names_are_text_and_never_markup),
		cmocka_unit_test(the_page_runs_no_script_and_loads_nothing),
		cmocka_unit_test(every_column_has_a_scope_and_the_page_a_language),
		cmocka_unit_test(the_snippets_pin_the_signing_keys),
	};

	return cmocka_run_group_tests_name("notary/status_page", tests, NULL, NULL);
}
