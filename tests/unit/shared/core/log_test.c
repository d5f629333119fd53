#include "shared/core/log.h"

#include "shared/core/str.h"
#include "shared/core/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <pthread.h>
#include <unistd.h>

#define LINE_MAX_TESTED 65536

static int saved_stderr, log_pipe[2];
static char line[LINE_MAX_TESTED];

static int catch_stderr(void **state)
{
	(void)state;
	mx_time_fake(INT64_C(1700000000123), 0);
	mx_log_setup(MX_LOG_DEBUG, MX_LOG_TEXT);
	saved_stderr = dup(STDERR_FILENO);
	if (pipe(log_pipe) || dup2(log_pipe[1], STDERR_FILENO) < 0)
		return -1;
	return 0;
}

static int give_stderr_back(void **state)
{
	(void)state;
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	close(log_pipe[0]);
	close(log_pipe[1]);
	mx_time_fake(-1, -1);
	mx_log_setup(MX_LOG_INFO, MX_LOG_TEXT);
	return 0;
}

/* What was written since the last call; "" for nothing. */
static const char *logged(void)
{
	ssize_t len;

	assert_int_equal(write(log_pipe[1], "", 1), 1);
	len = read(log_pipe[0], line, sizeof(line));
	assert_true(len > 0 && line[len - 1] == '\0');
	return line;
}

static void a_line_has_time_level_text_and_fields(void **state)
{
	(void)state;
	mx_log(MX_LOG_WARN, "key fetch failed", "server", "example.org", "tries", mx_log_num(3),
	       NULL);
	assert_string_equal(logged(), "2023-11-14T22:13:20.123Z warn  key fetch failed "
				      "server=\"example.org\" tries=\"3\"\n");
}

static void a_line_of_json_is_an_object(void **state)
{
	(void)state;
	mx_log_setup(MX_LOG_DEBUG, MX_LOG_JSON);
	mx_log(MX_LOG_ERROR, "no \"key\"", "server", "a\tb\"c\\d", NULL);
	assert_string_equal(logged(),
			    "{\"time\":\"2023-11-14T22:13:20.123Z\",\"level\":\"error\","
			    "\"text\":\"no \\\"key\\\"\",\"server\":\"a\\u0009b\\\"c\\\\d\"}\n");
}

static void any_bytes_give_a_line_of_json(void **state)
{
	char value[4];
	json_t *parsed;

	(void)state;
	mx_log_setup(MX_LOG_DEBUG, MX_LOG_JSON);
	for (int a = 1; a < 256; a++)
		for (int b = 0; b < 256; b += 5) {
			snprintf(value, sizeof(value), "%c%c", a, b);
			mx_log(MX_LOG_INFO, "x", "v", value, NULL);
			parsed = json_loads(logged(), 0, NULL);
			if (!parsed)
				fail_msg("%02x %02x gave %s", a, b, line);
			json_decref(parsed);
		}
}

static void lower_levels_are_left_out(void **state)
{
	(void)state;
	mx_log_setup(MX_LOG_WARN, MX_LOG_TEXT);
	assert_false(mx_log_wants(MX_LOG_INFO));
	assert_true(mx_log_wants(MX_LOG_WARN));
	mx_log(MX_LOG_INFO, "quiet", NULL);
	assert_string_equal(logged(), "");
	mx_log(MX_LOG_ERROR, "loud", NULL);
	assert_non_null(strstr(logged(), "error loud"));
}

static void a_null_value_is_left_out(void **state)
{
	(void)state;
	mx_log(MX_LOG_INFO, "x", "a", NULL, "b", "2", NULL);
	assert_non_null(strstr(logged(), "info  x b=\"2\"\n"));
}

static void a_value_cannot_start_a_line_or_a_field(void **state)
{
	(void)state;
	mx_log(MX_LOG_INFO, "x", "v", "1\" admin=\"yes\n2023 error forged\r\x1b[31m\x7f", NULL);
	assert_non_null(strstr(logged(), "v=\"1\\\" admin=\\\"yes\\u000a2023 error forged"
					 "\\u000d\\u001b[31m\\u007f\"\n"));
}

static void eight_bit_controls_are_escaped(void **state)
{
	(void)state;
	mx_log(MX_LOG_INFO, "x", "v",
	       "a\xC2\x9B"
	       "31m\xC2\x85z\xC2\xA0",
	       NULL);
	assert_non_null(strstr(logged(), "v=\"a\\u009b31m\\u0085z\xC2\xA0\"\n"));
}

static void direction_and_line_separators_are_replaced(void **state)
{
	static const char *const marks[] = {
		"\xD8\x9C",     "\xE2\x80\x8E", "\xE2\x80\x8F", "\xE2\x80\xA8", "\xE2\x80\xA9",
		"\xE2\x80\xAA", "\xE2\x80\xAE", "\xE2\x81\xA6", "\xE2\x81\xA9",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		mx_log(MX_LOG_INFO, "x", "v", marks[i], NULL);
		if (!strstr(logged(), "v=\"\\ufffd\"\n"))
			fail_msg("mark %zu gave %s", i, line);
	}
	mx_log(MX_LOG_INFO, "x", "v", "€\xE2\x80\x93", NULL);
	assert_non_null(strstr(logged(), "v=\"€\xE2\x80\x93\"\n"));
}

static void long_values_are_cut(void **state)
{
	char value[5000];

	(void)state;
	memset(value, 'x', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	mx_log(MX_LOG_INFO, "x", "v", value, "w", "end", NULL);
	assert_non_null(strstr(logged(), "x\" w=\"end\"\n"));
	assert_true(strlen(line) < 600);
}

static void the_request_is_on_the_lines_of_its_thread(void **state)
{
	(void)state;
	mx_log_set_request("r1234567");
	mx_log(MX_LOG_INFO, "x", "a", "1", NULL);
	mx_log_set_request(NULL);
	assert_non_null(strstr(logged(), "x request=\"r1234567\" a=\"1\"\n"));
	mx_log(MX_LOG_INFO, "x", NULL);
	assert_null(strstr(logged(), "request"));
}

static void eight_numbers_fit_one_line(void **state)
{
	const char *texts[8];

	(void)state;
	for (int i = 0; i < 8; i++)
		texts[i] = mx_log_num(i == 7 ? INT64_MIN : i);
	for (int i = 0; i < 7; i++)
		assert_int_equal(texts[i][0], '0' + i);
	assert_string_equal(texts[7], "-9223372036854775808");
}

static void *write_lines(void *ctx)
{
	for (int i = 0; i < 50; i++)
		mx_log(MX_LOG_INFO, "thread", "name", ctx, "pad", "..............................",
		       NULL);
	return NULL;
}

static void lines_of_threads_do_not_mix(void **state)
{
	static const char end[] = "name=\"?\" pad=\"..............................\"";
	char names[2][2] = { "a", "b" };
	pthread_t threads[2];
	struct mx_slice rest, one;
	unsigned lines = 0;

	(void)state;
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, write_lines, names[i]), 0);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	rest = mx_slice(logged());
	while (mx_split_next(&rest, '\n', &one) && one.len) {
		char copy[sizeof(end)];

		assert_true(one.len > sizeof(end));
		memcpy(copy, one.ptr + one.len - (sizeof(end) - 1), sizeof(end) - 1);
		copy[sizeof(end) - 1] = '\0';
		copy[6] = '?';
		assert_string_equal(copy, end);
		lines++;
	}
	assert_int_equal(lines, 100);
}

#define log_test(f) cmocka_unit_test_setup_teardown(f, catch_stderr, give_stderr_back)

int main(void)
{
	const struct CMUnitTest tests[] = {
		log_test(a_line_has_time_level_text_and_fields),
		log_test(a_line_of_json_is_an_object),
		log_test(any_bytes_give_a_line_of_json),
		log_test(lower_levels_are_left_out),
		log_test(a_null_value_is_left_out),
		log_test(a_value_cannot_start_a_line_or_a_field),
		log_test(eight_bit_controls_are_escaped),
		log_test(direction_and_line_separators_are_replaced),
		log_test(long_values_are_cut),
		log_test(the_request_is_on_the_lines_of_its_thread),
		log_test(eight_numbers_fit_one_line),
		log_test(lines_of_threads_do_not_mix),
	};
	return cmocka_run_group_tests_name("core/log", tests, NULL, NULL);
}
