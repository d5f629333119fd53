#include "shared/core/str.h"
#include "shared/daemon/console.h"
#include "shared/json/json.h"
#include "shared/mail/trial.h"

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

static int print(const json_t *answer, bool as_json)
{
	if (!as_json) {
		print_steps(answer);
		return print_end(answer);
	}
	console_print_json(answer);
	return streq(jstr(answer, "result"), "sent") ? EXIT_SUCCESS : EXIT_FAILURE;
}

int trial_command_run(const struct trial_command *command, const void *conf, int argc, char **argv)
{
	json_auto_t *body = NULL, *answer = NULL;
	bool as_json;
	const char *to = read_to(argc, argv, &as_json);

	if (!to)
		return console_usage(command->program, command->usage);
	body = json_pack("{s:s}", command->member, to);
	answer = console_ask(command->program, conf, "POST", command->path, body);
	return answer ? print(answer, as_json) : EXIT_FAILURE;
}
