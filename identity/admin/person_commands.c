/* trinity-identity who, bind, unbind, export, erase. */
#include "identity/admin/commands.h"
#include "identity/commands.h"
#include "shared/core/str.h"
#include "shared/json/json.h"

#include <stdio.h>

static void print_address(const json_t *shown)
{
	const json_t *suppression = jobj(shown, "suppression"), *listed = jobj(shown, "listed");
	char when[32];

	printf("%s %s: %s\n", console_word(shown, "medium"), console_word(shown, "address"),
	       jstr(shown, "user_id") ? console_word(shown, "user_id") : "bound to nobody");
	if (jint(shown, "ts", 0))
		printf("  since %s, signed by %s\n", console_when(jint(shown, "ts", 0), when),
		       jbool(shown, "ours", false) ? "this service"
						   : console_word(shown, "origin"));
	if (listed)
		printf("  the directory %s says: %s\n", console_word(listed, "source"),
		       console_word(listed, "user_id"));
	if (suppression)
		printf("  nothing is written to %s: %s\n", console_word(suppression, "what"),
		       console_word(suppression, "reason"));
}

static void print_threepid(const json_t *address)
{
	printf("%s %s\n", console_word(address, "medium"), console_word(address, "address"));
}

static void print_user(const json_t *shown)
{
	admin_print_each(shown, "addresses", print_threepid);
}

int admin_command_who(const void *conf, int argc, char **argv)
{
	struct admin_line line;
	char **words = argv + 1;

	if (!admin_line_read(&line, conf, argc, argv))
		return identity_usage("who address MEDIUM ADDRESS | hash HASH | user USER");
	if (admin_line_is(&line, "address", 2))
		return admin_show(&line, admin_path("people", "address", words[1], words[2], NULL),
				  print_address);
	if (admin_line_is(&line, "hash", 1))
		return admin_show(&line, admin_path("people", "hash", words[1], NULL),
				  print_address);
	if (admin_line_is(&line, "user", 1))
		return admin_show(&line, admin_path("people", "user", words[1], NULL), print_user);
	return identity_usage("who address MEDIUM ADDRESS | hash HASH | user USER");
}

int admin_command_bind(const void *conf, int argc, char **argv)
{
	struct admin_line line;

	if (!admin_line_read(&line, conf, argc, argv) || line.argc != 4 || !line.reason)
		return identity_usage("bind MEDIUM ADDRESS USER --reason TEXT");
	return admin_tell(&line, "PUT", admin_path("people", "address", argv[1], argv[2], NULL),
			  json_pack("{s:s}", "user_id", argv[3]));
}

int admin_command_unbind(const void *conf, int argc, char **argv)
{
	struct admin_line line;

	if (!admin_line_read(&line, conf, argc, argv) || line.argc != 3 || !line.reason)
		return identity_usage("unbind MEDIUM ADDRESS --reason TEXT");
	return admin_tell(&line, "POST",
			  admin_path("people", "address", argv[1], argv[2], "unbind", NULL), NULL);
}

/* ---- everything about a person */

/* NULL if the line names none. */
static char *person_path(const struct admin_line *line, const char *what)
{
	char **words = line->argv + 1;

	if (admin_line_is(line, "user", 1))
		return admin_path("people", "user", words[1], what, NULL);
	if (admin_line_is(line, "address", 2))
		return admin_path("people", "address", words[1], words[2], what, NULL);
	return NULL;
}

int admin_command_export(const void *conf, int argc, char **argv)
{
	struct admin_line line;
	char *path = NULL;

	if (admin_line_read(&line, conf, argc, argv))
		path = person_path(&line, "export");
	if (!path)
		return identity_usage("export user USER | address MEDIUM ADDRESS");
	return admin_show(&line, path, NULL);
}

int admin_command_erase(const void *conf, int argc, char **argv)
{
	struct admin_line line;
	char *path = NULL;

	if (admin_line_read(&line, conf, argc, argv) && line.reason)
		path = person_path(&line, "erase");
	if (!path)
		return identity_usage("erase user USER --reason TEXT | "
				      "address MEDIUM ADDRESS --reason TEXT");
	return admin_tell(&line, "POST", path, NULL);
}
