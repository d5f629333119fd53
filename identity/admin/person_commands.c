/* trinity-identity who: in words. */
#include "identity/admin/commands.h"
#include "identity/commands.h"
#include "shared/core/alloc.h"
#include "shared/core/str.h"
#include "shared/json/json.h"

#include <stdio.h>

static void print_address(const json_t *shown)
{
	char when[32];

	printf("%s %s: %s\n", console_word(shown, "medium"), console_word(shown, "address"),
	       jstr(shown, "user_id") ? console_word(shown, "user_id") : "bound to nobody");
	printf("  since %s, signed by %s\n", console_when(jint(shown, "ts", 0), when),
	       jbool(shown, "ours", false) ? "this service" : console_word(shown, "origin"));
}

static void print_user(const json_t *shown)
{
	json_t *address;
	size_t i;

	if (json_array_size(jarr(shown, "addresses")) == 0)
		admin_say_nothing();
	json_array_foreach (jarr(shown, "addresses"), i, address)
		printf("%s %s\n", console_word(address, "medium"),
		       console_word(address, "address"));
	admin_say_next(shown);
}

static char *who_path(int argc, char **argv)
{
	if (argc == 4 && streq(argv[1], "address"))
		return admin_path("people", "address", argv[2], argv[3], NULL);
	if (argc == 3 && streq(argv[1], "hash"))
		return admin_path("people", "hash", argv[2], NULL);
	if (argc == 3 && streq(argv[1], "user"))
		return admin_path("people", "user", argv[2], NULL);
	return NULL;
}

int admin_command_who(const void *conf, int argc, char **argv)
{
	const char *after = NULL, *limit = NULL;
	bool as_json = false;
	const struct console_option options[] = {
		{ "--json", .flag = &as_json },
		{ "--after", .value = &after },
		{ "--limit", .value = &limit },
		{ 0 },
	};
	bool read = console_options(&argc, argv, options);
	mx_autofree char *path = read ? who_path(argc, argv) : NULL;
	json_auto_t *shown = NULL;

	if (!path)
		return identity_usage(
			"who [--json] address MEDIUM ADDRESS | hash HASH | user USER");
	admin_path_add(&path, "after", after);
	admin_path_add(&path, "limit", limit);
	shown = identity_ask(conf, "GET", path, NULL);
	if (!shown)
		return EXIT_FAILURE;
	if (as_json)
		return console_print_json(shown);
	if (streq(argv[1], "user"))
		print_user(shown);
	else
		print_address(shown);
	return EXIT_SUCCESS;
}
