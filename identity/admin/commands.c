#include "identity/admin/commands.h"

#include "shared/core/alloc.h"
#include "shared/core/str.h"
#include "shared/core/url.h"
#include "shared/json/json.h"

#include <stdarg.h>
#include <stdio.h>

char *admin_path(const char *word, ...)
{
	struct mx_str path = { 0 };
	va_list words;

	mx_str_add_text(&path, "/admin/v1");
	va_start(words, word);
	for (; word; word = va_arg(words, const char *)) {
		mx_str_add_char(&path, '/');
		mx_url_add(&path, mx_slice(word));
	}
	va_end(words);
	return mx_str_steal(&path);
}

void admin_path_add(char **path, const char *name, const char *value)
{
	struct mx_str longer = { 0 };

	if (!value)
		return;
	mx_str_addf(&longer, "%s%c%s=", *path, strchr(*path, '?') ? '&' : '?', name);
	mx_url_add(&longer, mx_slice(value));
	mx_free(*path);
	*path = mx_str_steal(&longer);
}

void admin_say_nothing(void)
{
	fputs("There is nothing to show.\n", stderr);
}

void admin_say_next(const json_t *answer)
{
	const char *next = jstr(answer, "next");

	if (next)
		fprintf(stderr, "There is more: --after %s\n", next);
}

const struct daemon_command admin_commands[] = {
	{ "who", "[--json] address MEDIUM ADDRESS | hash HASH | user USER",
	  "whose an address is, or the addresses of a user", true, admin_command_who },
	{ 0 },
};
