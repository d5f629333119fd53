#include "shared/daemon/conf.h"

#include "shared/core/error.h"
#include "shared/core/log.h"
#include "shared/daemon/daemon.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct small_conf {
	struct daemon_conf common;
	char *server_name;
	struct {
		uint8_t tiny;
		int8_t below;
	} numbers;
	bool status_page;
};

#define NUMBERS __typeof__(((struct small_conf *)NULL)->numbers)

static const cyaml_schema_field_t number_fields[] = {
	CYAML_FIELD_UINT("tiny", CYAML_FLAG_OPTIONAL, NUMBERS, tiny),
	CYAML_FIELD_INT("below", CYAML_FLAG_OPTIONAL, NUMBERS, below),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t small_fields[] = {
	CYAML_FIELD_STRING_PTR("server_name", CYAML_FLAG_POINTER, struct small_conf, server_name, 1,
			       20),
	CYAML_FIELD_MAPPING("numbers", CYAML_FLAG_OPTIONAL, struct small_conf, numbers,
			    number_fields),
	CYAML_FIELD_BOOL("status_page", CYAML_FLAG_OPTIONAL, struct small_conf, status_page),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t small_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct small_conf, small_fields),
};

static const struct daemon_app app = { .name = "trinity-small", .conf_schema = &small_schema };

static struct conf *parse(const char *text)
{
	struct mx_error err = { 0 };
	struct conf *conf = NULL;

	if (conf_parse(&app, "f.yaml", mx_slice(text), &conf, &err))
		fail_msg("%s", err.text);
	return conf;
}

static void assert_refused(struct mx_slice text, const char *message)
{
	struct mx_error err = { 0 };
	struct conf *conf = NULL;

	assert_int_equal(conf_parse(&app, "f.yaml", text, &conf, &err), -MX_BAD_CONFIG);
	assert_null(conf);
	assert_string_equal(err.text, message);
}

static void refused(const char *text, const char *message)
{
	assert_refused(mx_slice(text), message);
}

static void values_land_in_both_parts_of_the_struct(void **state)
{
	struct conf *conf = parse("server_name: example.org\n"
				  "listen:\n"
				  "  - { address: 127.0.0.1, port: 8448 }\n"
				  "  - { address: '::', port: 443, tls: yes }\n"
				  "log: { level: debug, format: json }\n"
				  "numbers: { tiny: 255, below: -128 }\n"
				  "http:\n  trusted_proxies: [ 10.0.0.0/8, '::1' ]\n");
	const struct small_conf *values = conf_values(conf);

	(void)state;
	assert_string_equal(values->server_name, "example.org");
	assert_int_equal(values->common.listen_count, 2);
	assert_string_equal(values->common.listen[1].address, "::");
	assert_int_equal(values->common.listen[1].port, 443);
	assert_true(values->common.listen[1].tls);
	assert_false(values->common.listen[0].tls);
	assert_int_equal(values->common.log.level, CONF_LOG_DEBUG);
	assert_int_equal(values->common.log.format, MX_LOG_JSON);
	assert_int_equal(values->numbers.tiny, 255);
	assert_int_equal(values->numbers.below, -128);
	assert_int_equal(values->common.http.trusted_proxies_count, 2);
	assert_string_equal(values->common.http.trusted_proxies[1], "::1");
	conf_free(conf);
}

static void what_is_not_there_is_the_default(void **state)
{
	struct conf *conf = parse("server_name: a\n");
	const struct small_conf *values = conf_values(conf);

	(void)state;
	assert_int_equal(values->common.listen_count, 0);
	assert_null(values->common.admin);
	assert_int_equal(values->common.log.level, CONF_LOG_INFO);
	assert_int_equal(values->common.sandbox, CONF_SANDBOX_ON);
	conf_free(conf);
}

static void headings_without_lines_are_empty(void **state)
{
	struct conf *conf = parse("server_name: a\nlog:\n#  level: debug\nlisten:\nhttp:\n"
				  "  trusted_proxies:\n");

	(void)state;
	assert_int_equal(((struct daemon_conf *)conf_values(conf))->listen_count, 0);
	conf_free(conf);
}

static void a_byte_order_mark_is_no_part_of_the_text(void **state)
{
	struct conf *conf = parse("\xEF\xBB\xBFserver_name: a\nlog: { level: warn }\n");
	const struct small_conf *small = conf_values(conf);

	(void)state;
	assert_string_equal(small->server_name, "a");
	assert_int_equal(small->common.log.level, CONF_LOG_WARN);
	conf_free(conf);
}

static void an_unknown_key_is_named_with_its_line_and_the_nearest_one(void **state)
{
	(void)state;
	refused("server_name: a\nlog:\n  # one\n  levl: debug\n",
		"f.yaml:4: log: levl: unknown key; did you mean \"level\"?");
	refused("server_nam: a\n", "f.yaml:1: server_nam: unknown key; did you mean "
				   "\"server_name\"?");
	refused("server_name: a\nquite_different: 1\n", "f.yaml:2: quite_different: unknown key");
	refused("server_name: a\nlisten:\n  - address: x\n    prot: 1\n",
		"f.yaml:4: listen[1]: prot: unknown key; did you mean \"port\"?");
	refused("server_name: a\n\"l\\eg\": 1\n",
		"f.yaml:2: l?g: unknown key; did you mean \"log\"?");
}

static void a_key_may_be_there_only_once(void **state)
{
	(void)state;
	refused("server_name: a\nadmin: b\nserver_name: c\n",
		"f.yaml:3: server_name: is there twice");
	refused("server_name: a\nlog: { level: warn, level: warn }\n",
		"f.yaml:2: log.level: is there twice");
}

static void a_missing_key_is_named(void **state)
{
	(void)state;
	refused("admin: x\n", "f.yaml:2: server_name is missing");
	refused("server_name: a\nlisten:\n  - port: 1\n",
		"f.yaml:4: listen[1]: address is missing");
}

static void values_of_another_kind_are_refused(void **state)
{
	(void)state;
	refused("server_name: [ a ]\n", "f.yaml:1: server_name: must be a single value");
	refused("server_name: a\nlisten: x\n", "f.yaml:2: listen: must be a list");
	refused("server_name: a\nlisten: { address: x }\n", "f.yaml:2: listen: must be a list");
	refused("server_name: a\nlog: x\n",
		"f.yaml:2: log: must be a mapping: keys and values, indented below it");
	refused("server_name: a\nhttp:\n  trusted_proxies: [ a, [ b ] ]\n",
		"f.yaml:3: http.trusted_proxies[2]: must be a single value");
	refused("server_name:\n", "f.yaml:1: server_name: has no value; comment the line out, or "
				  "give one");
	refused("server_name: ''\n",
		"f.yaml:1: server_name: must not be empty; comment the line out, or give a value");
	refused("server_name: 123456789012345678901\n",
		"f.yaml:1: server_name: must be at most 20 bytes long");
	refused("server_name: \"a\\0b\"\n",
		"f.yaml:1: server_name: must not hold control characters");
}

static void numbers_are_decimal_and_in_range(void **state)
{
	(void)state;
	refused("server_name: a\ncache_mb: ten\n",
		"f.yaml:2: cache_mb: must be a whole number in decimal digits");
	refused("server_name: a\ncache_mb: 0x10\n",
		"f.yaml:2: cache_mb: must be a whole number in decimal digits");
	refused("server_name: a\ncache_mb: 010\n", "f.yaml:2: cache_mb: must not begin with 0");
	refused("server_name: a\ncache_mb: -1\n",
		"f.yaml:2: cache_mb: must be from 0 to 4294967295");
	refused("server_name: a\nnumbers: { tiny: 256 }\n",
		"f.yaml:2: numbers.tiny: must be from 0 to 255");
	refused("server_name: a\nnumbers: { below: -129 }\n",
		"f.yaml:2: numbers.below: must be from -128 to 127");
	refused("server_name: a\nlisten: [ { address: x, port: 65536 } ]\n",
		"f.yaml:2: listen[1].port: must be from 0 to 65535");
}

static void words_are_checked(void **state)
{
	(void)state;
	refused("server_name: a\nstatus_page: flase\n",
		"f.yaml:2: status_page: must be true or false");
	refused("server_name: a\nstatus_page: 1\n", "f.yaml:2: status_page: must be true or false");
	refused("server_name: a\nlog: { level: loud }\n",
		"f.yaml:2: log.level: must be one of: debug, info, warn, error");
	refused("server_name: a\nlog: { level: 1 }\n",
		"f.yaml:2: log.level: must be one of: debug, info, warn, error");
}

static void what_is_no_mapping_is_refused(void **state)
{
	static const char mapping[] =
		"f.yaml:1: must be a mapping: keys and values, indented below it";

	(void)state;
	refused("", "f.yaml:1: there is nothing in the file");
	refused("# only a comment\n", "f.yaml:2: there is nothing in the file");
	refused("hello\n", mapping);
	refused("- a\n- b\n", mapping);
	refused("---\n...\n", "f.yaml:2: must be a mapping: keys and values, indented below it");
	refused("server_name: a\n---\nserver_name: b\n", "f.yaml:2: only one document is allowed");
	refused("? [ a ]\n: b\n", "f.yaml:1: a key must be plain text");
}

static void aliases_anchors_and_tags_are_refused(void **state)
{
	static const char message[] =
		"f.yaml:1: server_name: anchors, aliases and tags are not allowed";

	(void)state;
	refused("server_name: &a x\n", message);
	refused("server_name: *a\n", message);
	refused("server_name: !!str x\n", message);
	refused("log: &a { level: info }\nserver_name: x\n",
		"f.yaml:1: log: anchors, aliases and tags are not allowed");
	refused("*a\n", "f.yaml:1: anchors, aliases and tags are not allowed");
}

static void what_is_not_yaml_is_refused_with_its_line(void **state)
{
	struct mx_error err = { 0 };
	struct conf *conf = NULL;

	(void)state;
	assert_refused(MX_SLICE("server_name: a\n\0"),
		       "f.yaml:2: not YAML: control characters are not allowed");
	assert_refused(MX_SLICE("server_name: a\nadmin: \xff\xfe\n"),
		       "f.yaml:2: not YAML: invalid leading UTF-8 octet");
	assert_int_equal(
		conf_parse(&app, "f.yaml", MX_SLICE("server_name: [ a\nlog: \"x\n"), &conf, &err),
		-MX_BAD_CONFIG);
	assert_true(mx_starts_with(err.text, "f.yaml:1: server_name: must be"));
	assert_int_equal(
		conf_parse(&app, "f.yaml", MX_SLICE("server_name: a\n\tlog: x\n"), &conf, &err),
		-MX_BAD_CONFIG);
	assert_true(mx_starts_with(err.text, "f.yaml:2: "));
}

static void deep_nesting_ends_early(void **state)
{
	mx_str_auto text = { 0 };
	struct mx_error err = { 0 };
	struct conf *conf = NULL;

	(void)state;
	mx_str_add_text(&text, "server_name: a\nhttp:\n  trusted_proxies: ");
	for (int i = 0; i < 100000; i++)
		mx_str_add_char(&text, '[');
	assert_int_equal(conf_parse(&app, "f.yaml", mx_str_slice(&text), &conf, &err),
			 -MX_BAD_CONFIG);
	assert_string_equal(err.text, "f.yaml:3: http.trusted_proxies[1]: must be a single value");
}

static void long_lists_are_refused(void **state)
{
	mx_str_auto text = { 0 };
	struct mx_error err = { 0 };
	struct conf *conf = NULL;

	(void)state;
	mx_str_add_text(&text, "server_name: a\noutbound:\n  deny:\n");
	for (int i = 0; i < 65; i++)
		mx_str_add_text(&text, "  - x\n");
	assert_int_equal(conf_parse(&app, "f.yaml", mx_str_slice(&text), &conf, &err),
			 -MX_BAD_CONFIG);
	assert_non_null(strstr(err.text, "outbound.deny"));
	assert_non_null(strstr(err.text, "must have at most 64 entries"));
}

static void what_is_written_is_read_as_the_same(void **state)
{
	struct conf *conf = parse("server_name: \"yes: # \\\" ' ü\"\nadmin: '- x'\n"
				  "listen: [ { address: '*a', port: 1 } ]\nhttp:\n"
				  "  trusted_proxies: [ '{', '~', 'null', '007' ]\n"
				  "log: { level: error }\nsandbox: off\n");
	mx_str_auto first = { 0 }, second = { 0 };
	struct conf *again;

	(void)state;
	conf_write(conf, &first);
	again = parse(first.ptr);
	conf_write(again, &second);
	assert_string_equal(first.ptr, second.ptr);
	assert_string_equal(((struct small_conf *)conf_values(again))->server_name,
			    "yes: # \" ' ü");
	assert_true(conf_same(conf, again, "http"));
	conf_free(again);
	conf_free(conf);
}

static void a_changed_key_is_noticed(void **state)
{
	struct conf *a = parse("server_name: a\nlog: { level: warn }\n");
	struct conf *b = parse("server_name: b\nlog: { level: warn }\nlisten: []\n");

	(void)state;
	assert_false(conf_same(a, b, "server_name"));
	assert_true(conf_same(a, b, "log"));
	assert_true(conf_same(a, b, "http"));
	conf_free(a);
	conf_free(b);
}

static void a_changed_key_of_a_section_is_noticed(void **state)
{
	struct conf *a = parse("server_name: a\nlog: { level: warn, format: text }\n");
	struct conf *b = parse("server_name: a\nlog: { level: debug }\nnumbers: { tiny: 1 }\n");

	(void)state;
	assert_false(conf_same(a, b, "log.level"));
	assert_true(conf_same(a, b, "log.format"));
	assert_false(conf_same(a, b, "numbers.tiny"));
	assert_true(conf_same(a, b, "numbers.below"));
	conf_free(a);
	conf_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_land_in_both_parts_of_the_struct),
		cmocka_unit_test(what_is_not_there_is_the_default),
		cmocka_unit_test(headings_without_lines_are_empty),
		cmocka_unit_test(a_byte_order_mark_is_no_part_of_the_text),
		cmocka_unit_test(an_unknown_key_is_named_with_its_line_and_the_nearest_one),
		cmocka_unit_test(a_key_may_be_there_only_once),
		cmocka_unit_test(a_missing_key_is_named),
		cmocka_unit_test(values_of_another_kind_are_refused),
		cmocka_unit_test(numbers_are_decimal_and_in_range),
		cmocka_unit_test(words_are_checked),
		cmocka_unit_test(what_is_no_mapping_is_refused),
		cmocka_unit_test(aliases_anchors_and_tags_are_refused),
		cmocka_unit_test(what_is_not_yaml_is_refused_with_its_line),
		cmocka_unit_test(deep_nesting_ends_early),
		cmocka_unit_test(long_lists_are_refused),
		cmocka_unit_test(what_is_written_is_read_as_the_same),
		cmocka_unit_test(a_changed_key_is_noticed),
		cmocka_unit_test(a_changed_key_of_a_section_is_noticed),
	};
	return cmocka_run_group_tests_name("daemon/conf", tests, NULL, NULL);
}
