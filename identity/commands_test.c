/* trinity-identity mail test, sms test: one message now, and how far it came. */
#include "identity/commands.h"
#include "shared/core/str.h"
#include "shared/daemon/console.h"
#include "shared/json/json.h"

#include <stdio.h>
#include <stdlib.h>

static void print_steps(const json_t *answer)
{
	json_t *step;
	size_t i;

	json_array_foreach (jarr(answer, "steps"), i, step)
		printf("%2zu. %-10s  %-6s  %s\n", i + 1, console_word(step, "step"),
		       jbool(step, "ok", false) ? "ok" : "FAILED", console_word(step, "words"));
}

static int print_end(const json_t *answer)
{
	const char *result = console_word(answer, "result"), *why = console_word(answer, "why");

	if (streq(result, "sent")) {
		puts("sent");
		return EXIT_SUCCESS;
	}
	if (streq(result, "unsure"))
		printf("it may have been sent, nobody knows: %s\n", why);
	else if (streq(result, "again"))
		printf("not sent; a message of the service would be tried again: %s\n", why);
	else
		printf("refused: %s\n", why);
	return EXIT_FAILURE;
}

/* argv: test [--json] TO */
static const char *read_to(int argc, char **argv, bool *ret_as_json)
{
	*ret_as_json = argc == 4 && streq(argv[2], "--json");
	if (argc < 3 || !streq(argv[1], "test") || argc != 3 + *ret_as_json)
		return NULL;
	return mx_starts_with(argv[argc - 1], "--") ? NULL : argv[argc - 1];
}

static int test(const void *conf, const char *path, json_t *body, bool as_json)
{
	json_t *answer = identity_ask(conf, "POST", path, body);
	int status = EXIT_FAILURE;

	json_decref(body);
	if (answer && as_json) {
		console_print_json(answer);
		status = streq(jstr(answer, "result"), "sent") ? EXIT_SUCCESS : EXIT_FAILURE;
	} else if (answer) {
		print_steps(answer);
		status = print_end(answer);
	}
	json_decref(answer);
	return status;
}

int identity_command_mail(const void *conf, int argc, char **argv)
{
	bool as_json;
	const char *to = read_to(argc, argv, &as_json);

	if (!to)
		return identity_usage("mail test [--json] ADDRESS");
	return test(conf, "/admin/v1/mail/test", json_pack("{s:s}", "address", to), as_json);
}

int identity_command_sms(const void *conf, int argc, char **argv)
{
	bool as_json;
	const char *to = read_to(argc, argv, &as_json);

	if (!to)
		return identity_usage("sms test [--json] NUMBER");
	return test(conf, "/admin/v1/sms/test", json_pack("{s:s}", "number", to), as_json);
}
