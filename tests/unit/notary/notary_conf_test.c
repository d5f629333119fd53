#include "notary/notary_conf.h"

#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/daemon/conf.h"
#include "shared/daemon/files.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define NEEDED "server_name: a.test\nkeys: { signing_file: /k }\n"

/* Of the fuzzer's seeds; the rest is refused before libcyaml sees it. */
#define GOOD_SEEDS 15

static const struct daemon_app app = { .name = "trinity-notary",
				       .conf_schema = &notary_conf_schema };

static struct conf *parse(const char *file, struct mx_slice text)
{
	struct mx_error err = { 0 };
	struct conf *conf = NULL;

	if (conf_parse(&app, file, text, &conf, &err))
		fail_msg("%s", err.text);
	return conf;
}

static void assert_refused(const char *text, const char *why)
{
	struct conf *conf = parse("f.yaml", mx_slice(text));
	struct mx_error err = { 0 };

	assert_int_equal(notary_conf_check(conf_values(conf), &err), -MX_BAD_CONFIG);
	assert_string_equal(err.text, why);
	conf_free(conf);
}

static void what_is_absent_has_its_default(void **state)
{
	struct conf *conf = parse("f.yaml", mx_slice(NEEDED));
	const struct notary_conf *values = conf_values(conf);

	(void)state;
	assert_int_equal(notary_conf_check(conf_values(conf), NULL), 0);
	assert_int_equal(values->keys.validity_hours, 24);
	assert_int_equal(values->query.deadline_ms, 9000);
	assert_int_equal(values->query.servers_max, 10000);
	assert_int_equal(values->fetch.total_ms, 8000);
	assert_int_equal(values->limit.requests_per_second, 0);
	assert_true(*values->status_page);
	conf_free(conf);
}

static void what_is_there_stays(void **state)
{
	struct conf *conf = parse("f.yaml", mx_slice(NEEDED "status_page: false\nrefresh: { days: "
							    "1 }\nfetch: { cold_burst: 3 }\n"));
	const struct notary_conf *values = conf_values(conf);

	(void)state;
	assert_int_equal(notary_conf_check(conf_values(conf), NULL), 0);
	assert_false(*values->status_page);
	assert_int_equal(values->refresh.days, 1);
	assert_int_equal(values->fetch.cold_burst, 3);
	conf_free(conf);
}

static void what_cannot_work_is_refused(void **state)
{
	(void)state;
	assert_refused("server_name: 'no name'\nkeys: { signing_file: /k }\n",
		       "server_name: no name is no Matrix server name");
	assert_refused("server_name: a.test\nkeys: {}\n", "keys.signing_file is missing");
	assert_refused("server_name: a.test\nkeys: { signing_file: /k, validity_hours: 1 }\n",
		       "keys.validity_hours must be between 2 and 168");
	assert_refused("server_name: a.test\nkeys: { signing_file: /k, validity_hours: 169 }\n",
		       "keys.validity_hours must be between 2 and 168");
	assert_refused(NEEDED "query: { deadline_ms: 99 }\n",
		       "query.deadline_ms must be between 100 and 60000");
	assert_refused(NEEDED "query: { servers_max: 10001 }\n",
		       "query.servers_max must be between 1 and 10000");
	assert_refused(NEEDED "fetch: { connect_ms: 1 }\n",
		       "fetch.connect_ms must be between 10 and 60000");
	assert_refused(NEEDED "fetch: { total_ms: 60001 }\n",
		       "fetch.total_ms must be between 10 and 60000");
}

static void good_seeds_of_the_fuzzer_fill_the_struct(void **state)
{
	glob_t seeds;

	(void)state;
	assert_int_equal(glob(TEST_DIR "/fuzz/corpus/conf/good-*.yaml", 0, NULL, &seeds), 0);
	assert_true(seeds.gl_pathc >= GOOD_SEEDS);
	for (size_t i = 0; i < seeds.gl_pathc; i++) {
		mx_autofree char *text = NULL;
		struct conf *conf;
		size_t len;

		assert_int_equal(file_read(seeds.gl_pathv[i], CONF_BYTES_MAX, &text, &len, NULL),
				 0);
		conf = parse(seeds.gl_pathv[i], mx_slice_of(text, len));
		assert_non_null(((struct notary_conf *)conf_values(conf))->server_name);
		conf_free(conf);
	}
	globfree(&seeds);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_absent_has_its_default),
		cmocka_unit_test(what_is_there_stays),
		cmocka_unit_test(what_cannot_work_is_refused),
		cmocka_unit_test(good_seeds_of_the_fuzzer_fill_the_struct),
	};

	return cmocka_run_group_tests_name("notary/notary_conf", tests, NULL, NULL);
}
