#include "shared/net/wellknown_answer.h"

#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define HOUR         MX_HOUR_MS
#define SECOND       MX_SECOND_MS
#define YEAR         (365 * MX_DAY_MS)

/* The moment of RFC 9110's examples: Sun, 06 Nov 1994 08:49:37 GMT. */
#define NOW_MS   INT64_C(784111777000)
#define NOW      "Sun, 06 Nov 1994 08:49:37 GMT"
#define TEN_PAST "Sun, 06 Nov 1994 09:00:00 GMT"
#define TEN_MS   (623 * SECOND)

static const struct {
	const char *headers;
	bool given;
	int64_t lifetime_ms;
} answers[] = {
	{ "", false, 0 },
	{ "Content-Type: text/plain\r\n", false, 0 },
	{ "Cache-Control: max-age=3600\r\n", true, HOUR },
	{ "cache-control:MAX-AGE=3600", true, HOUR },
	{ "Cache-Control: public, max-age = 3600 , immutable\r\n", true, HOUR },
	{ "Cache-Control: max-age=\"3600\"\r\n", true, HOUR },
	{ "Cache-Control: max-age=0\r\n", true, 0 },
	{ "Cache-Control: max-age=99999999999999999999999\r\n", true, YEAR },
	{ "Cache-Control: max-age=31536001\r\n", true, YEAR },
	/* What cannot be read is stale at once; of two, the shorter one counts. */
	{ "Cache-Control: max-age\r\n", true, 0 },
	{ "Cache-Control: max-age=\r\n", true, 0 },
	{ "Cache-Control: max-age=-5\r\n", true, 0 },
	{ "Cache-Control: max-age=1h\r\n", true, 0 },
	{ "Cache-Control: max-age=\"\r\n", true, 0 },
	{ "Cache-Control: max-age=60, max-age=3600\r\n", true, 60 * SECOND },
	{ "Cache-Control: max-age=3600\r\nCache-Control: max-age=60\r\n", true, 60 * SECOND },
	{ "Cache-Control: no-store\r\n", true, 0 },
	{ "Cache-Control: max-age=3600, no-store\r\n", true, 0 },
	{ "Cache-Control: no-cache\r\nExpires: " TEN_PAST "\r\n", true, 0 },
	{ "Cache-Control: private\r\n", false, 0 },
	{ "Cache-Control: s-maxage=60, x-max-age=60\r\n", false, 0 },
	{ "Cache-Control: ,,=,;max-age=3600\r\n", false, 0 },
	/* RFC 9111, 5.1: what it has spent in other caches. */
	{ "Cache-Control: max-age=3600\r\nAge: 600\r\n", true, HOUR - 600 * SECOND },
	{ "Age: 600\r\nCache-Control: max-age=60\r\n", true, 0 },
	{ "Cache-Control: max-age=3600\r\nAge: -1\r\n", true, HOUR },
	{ "Cache-Control: max-age=3600\r\nAge: soon\r\n", true, HOUR },
	{ "Cache-Control: max-age=3600\r\nAge: 99999999999999999999\r\n", true, 0 },
	{ "Age: 600\r\n", false, 0 },
	/* RFC 9111, 5.3: max-age is stronger; Expires counts from Date. */
	{ "Expires: " TEN_PAST "\r\n", true, TEN_MS },
	{ "Expires: " TEN_PAST "\r\nDate: " NOW "\r\n", true, TEN_MS },
	{ "Expires: " TEN_PAST "\r\nDate: " TEN_PAST "\r\n", true, 0 },
	{ "Expires: " NOW "\r\nDate: " TEN_PAST "\r\n", true, 0 },
	{ "Expires: " TEN_PAST "\r\nCache-Control: max-age=60\r\n", true, 60 * SECOND },
	{ "Expires: " TEN_PAST "\r\nAge: 23\r\n", true, TEN_MS - 23 * SECOND },
	{ "Expires: Sunday, 06-Nov-94 09:00:00 GMT\r\n", true, TEN_MS },
	{ "Expires: Sun Nov  6 09:00:00 1994\r\n", true, TEN_MS },
	{ "Expires: 0\r\n", true, 0 },
	{ "Expires: -1\r\n", true, 0 },
	{ "Expires: never, ever, and for longer than any date has letters, surely\r\n", true, 0 },
	{ "Expires:\r\n", true, 0 },
	/* Lines that are none. */
	{ "Cache-Control\r\n\r\n: \r\nmax-age=3600", false, 0 },
	{ "X-Cache-Control: max-age=3600\r\n", false, 0 },
};

static void caching_headers_are_read_as_http_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(answers); i++) {
		struct net_freshness fresh = net_wellknown_freshness(mx_slice(answers[i].headers),
								     NOW_MS);

		if (fresh.given != answers[i].given || fresh.lifetime_ms != answers[i].lifetime_ms)
			fail_msg("%s: given %d, %lld ms", answers[i].headers, fresh.given,
				 (long long)fresh.lifetime_ms);
	}
}

static const struct {
	const char *body, *server;
} documents[] = {
	{ "{\"m.server\":\"b.example\"}", "b.example" },
	{ " \n{ \"m.server\" : \"b.example:443\" }\t", "b.example:443" },
	{ "{\"x\":{\"m.server\":\"c.example\"},\"m.server\":\"B.example\",\"y\":[1.5e3]}",
	  "B.example" },
	{ "{\"m.server\":\"192.0.2.1\"}", "192.0.2.1" },
	{ "{\"m.server\":\"[2001:db8::1]:8448\"}", "[2001:db8::1]:8448" },
	{ "{\"m\\u002eserver\":\"b\\u002eexample\"}", "b.example" },
};

static void a_delegation_is_read(void **state)
{
	mx_arena_auto *mem = mx_arena_new(0);

	(void)state;
	for (size_t i = 0; i < COUNT(documents); i++) {
		const char *server = NULL;

		assert_int_equal(
			net_wellknown_parse(mx_slice(documents[i].body), mem, &server, NULL), 0);
		assert_string_equal(server, documents[i].server);
	}
}

static const struct {
	const char *body;
	int rc;
} refused[] = {
	{ "", -MX_NOT_JSON },
	{ "<html>", -MX_NOT_JSON },
	{ "{\"m.server\":\"b.example\"", -MX_NOT_JSON },
	{ "{\"m.server\":\"b.example\"}x", -MX_NOT_JSON },
	{ "{\"m.server\":\"b.example\",\"m.server\":\"b.example\"}", 0 },
	{ "{\"m.server\":\"\xff\"}", 0 },
	{ "[\"b.example\"]", -MX_BAD_JSON },
	{ "\"b.example\"", -MX_BAD_JSON },
	{ "{}", -MX_BAD_JSON },
	{ "{\"M.server\":\"b.example\"}", -MX_BAD_JSON },
	{ "{\"m.server\":5}", -MX_BAD_JSON },
	{ "{\"m.server\":null}", -MX_BAD_JSON },
	{ "{\"m.server\":[\"b.example\"]}", -MX_BAD_JSON },
	{ "{\"m.server\":\"\"}", -MX_INVALID_PARAM },
	{ "{\"m.server\":\" b.example\"}", -MX_INVALID_PARAM },
	{ "{\"m.server\":\"b.example:0\"}", -MX_INVALID_PARAM },
	{ "{\"m.server\":\"b.example:65536\"}", -MX_INVALID_PARAM },
	{ "{\"m.server\":\"b.example/x\"}", -MX_INVALID_PARAM },
	{ "{\"m.server\":\"https://b.example\"}", -MX_INVALID_PARAM },
	{ "{\"m.server\":\"x@b.example\"}", -MX_INVALID_PARAM },
	{ "{\"m.server\":\"b.example\\u0000.c.example\"}", -MX_INVALID_PARAM },
	{ "{\"m.server\":\"b.example\\r\\nX: y\"}", -MX_INVALID_PARAM },
	{ "{\"m.server\":\"[fe80::1%lo]\"}", -MX_INVALID_PARAM },
	{ "{\"m.server\":\"2001:db8::1\"}", -MX_INVALID_PARAM },
};

static void what_is_no_delegation_is_refused(void **state)
{
	mx_arena_auto *mem = mx_arena_new(0);

	(void)state;
	for (size_t i = 0; i < COUNT(refused); i++) {
		struct mx_error err = { 0 };
		const char *server = NULL;
		int rc = net_wellknown_parse(mx_slice(refused[i].body), mem, &server, &err);

		if (rc == 0 || (refused[i].rc && rc != refused[i].rc))
			fail_msg("%s: %d", refused[i].body, rc);
		assert_null(server);
		assert_int_equal(err.code, -rc);
	}
}

/* With a second member that is "" between many `before` and as many `after`. */
static int parse_with(const char *before, const char *after, int times)
{
	mx_arena_auto *mem = mx_arena_new(0);
	mx_str_auto body = { 0 };
	const char *server;

	mx_str_add_text(&body, "{\"m.server\":\"b.example\",\"x\":");
	for (int i = 0; i < times; i++)
		mx_str_add_text(&body, before);
	mx_str_add_text(&body, "\"\"");
	for (int i = 0; i < times; i++)
		mx_str_add_text(&body, after);
	mx_str_add_text(&body, "}");
	return net_wellknown_parse(mx_str_slice(&body), mem, &server, NULL);
}

static void size_and_depth_are_bounded(void **state)
{
	(void)state;
	assert_int_equal(parse_with("[", "]", 15), 0);
	assert_int_not_equal(parse_with("[", "]", 25), 0);
	assert_int_equal(parse_with(" ", "  ", 16000), 0);
	assert_int_not_equal(parse_with(" ", "  ", 17100), 0);
}

static void too_many_values_are_refused(void **state)
{
	mx_arena_auto *mem = mx_arena_new(0);
	const char *server;

	(void)state;
	for (int count = 900; count <= 1100; count += 200) {
		mx_str_auto body = { 0 };

		mx_str_add_text(&body, "{\"m.server\":\"b.example\",\"x\":[0");
		for (int i = 1; i < count; i++)
			mx_str_add_text(&body, ",0");
		mx_str_add_text(&body, "]}");
		assert_int_equal(net_wellknown_parse(mx_str_slice(&body), mem, &server, NULL) == 0,
				 count < 1000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(caching_headers_are_read_as_http_says),
		cmocka_unit_test(a_delegation_is_read),
		cmocka_unit_test(what_is_no_delegation_is_refused),
		cmocka_unit_test(size_and_depth_are_bounded),
		cmocka_unit_test(too_many_values_are_refused),
	};
	return cmocka_run_group_tests_name("net/wellknown_answer", tests, NULL, NULL);
}
