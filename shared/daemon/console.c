#include "shared/daemon/console.h"

#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/daemon/daemon.h"
#include "shared/json/json.h"

#include <stdio.h>
#include <time.h>

#define EXIT_USAGE 2

/* ---- options */

static const struct console_option *find_option(const struct console_option *options,
						const char *name)
{
	for (; options->name; options++)
		if (streq(options->name, name))
			return options;
	return NULL;
}

/* How many words it took; 0 if they are none of it. */
static int take_option(const struct console_option *option, const char *next)
{
	if (option && option->flag) {
		*option->flag = true;
		return 1;
	}
	if (!option || !next || *option->value)
		return 0;
	*option->value = next;
	return 2;
}

bool console_options(int *argc, char **argv, const struct console_option *options)
{
	int from = 1, to = 1, taken;

	while (from < *argc && !streq(argv[from], "--")) {
		if (!mx_starts_with(argv[from], "--")) {
			argv[to++] = argv[from++];
			continue;
		}
		taken = take_option(find_option(options, argv[from]), argv[from + 1]);
		if (taken == 0)
			return false;
		from += taken;
	}
	for (from++; from < *argc; from++)
		argv[to++] = argv[from];
	*argc = to;
	return true;
}

/* ---- asking the daemon */

static void say_refusal(const char *program, int status, const json_t *answer, const char *text)
{
	const char *sentence = jstr(answer, "error");

	if (sentence)
		fprintf(stderr, "%s: %s\n", program, sentence);
	else
		fprintf(stderr, "%s: the daemon answered %d: %.200s\n", program, status, text);
}

json_t *console_ask(const char *program, const struct daemon_conf *conf, const char *method,
		    const char *path, const json_t *body)
{
	mx_autofree char *sent = body ? mx_json_text(body) : NULL;
	mx_autofree char *text = NULL;
	struct mx_error err = { 0 };
	json_t *answer;
	int status;

	if (daemon_ask(conf, method, path, sent, &status, &text, &err)) {
		console_fail(program, &err);
		return NULL;
	}
	/* our own daemon's answer, over its own socket */
	answer = json_loads(text, 0, NULL);
	if (status == 200 && answer)
		return answer;
	say_refusal(program, status, answer, text);
	json_decref(answer);
	return NULL;
}

/* ---- talking */

int console_usage(const char *program, const char *usage)
{
	fprintf(stderr, "usage: %s %s\n", program, usage);
	return EXIT_USAGE;
}

int console_fail(const char *program, const struct mx_error *err)
{
	fprintf(stderr, "%s: %s\n", program, err->text);
	return EXIT_FAILURE;
}

int console_print_json(const json_t *answer)
{
	json_dumpf(answer, stdout, JSON_INDENT(2));
	putchar('\n');
	return EXIT_SUCCESS;
}

const char *console_word(const json_t *object, const char *key)
{
	const char *text = jstr_or(object, key, "");

	for (const unsigned char *c = (const unsigned char *)text; *c; c++)
		if (*c < ' ' || *c == 0x7f || (c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0))
			return "(unprintable)";
	return text;
}

const char *console_when(int64_t time_ms, char text[32])
{
	time_t seconds = time_ms / MX_SECOND_MS;
	struct tm tm;

	if (time_ms <= 0)
		return "never";
	gmtime_r(&seconds, &tm);
	strftime(text, 32, "%Y-%m-%d %H:%M:%S UTC", &tm);
	return text;
}
