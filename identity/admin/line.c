#include "identity/admin/commands.h"
#include "identity/commands.h"
#include "shared/core/alloc.h"
#include "shared/core/str.h"
#include "shared/core/url.h"
#include "shared/json/json.h"

#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#define OWN_MAX 3

/* ---- the line */

bool admin_line_read(struct admin_line *ret_line, const void *conf, int argc, char **argv)
{
	static const admin_options none = { NULL };

	return admin_line_read_with(ret_line, none, conf, argc, argv);
}

bool admin_line_read_with(struct admin_line *ret_line, const admin_options own, const void *conf,
			  int argc, char **argv)
{
	struct admin_line line = { .argc = argc, .argv = argv, .conf = conf };
	bool switched[OWN_MAX] = { false };
	struct console_option options[5 + OWN_MAX] = {
		{ "--json", .flag = &line.as_json },
		{ "--reason", .value = &line.reason },
		{ "--after", .value = &line.after },
		{ "--limit", .value = &line.limit },
	};

	for (int i = 0; i < OWN_MAX && own[i]; i++) {
		options[4 + i].name = own[i] + (own[i][0] == '+');
		options[4 + i].value = &line.more[i];
		options[4 + i].flag = own[i][0] == '+' ? &switched[i] : NULL;
	}
	if (!console_options(&line.argc, argv, options))
		return false;
	for (int i = 0; i < OWN_MAX; i++)
		if (switched[i])
			line.more[i] = "true";
	*ret_line = line;
	return true;
}

bool admin_line_is(const struct admin_line *line, const char *word, int words)
{
	return line->argc == words + 2 && streq(line->argv[1], word);
}

/* ---- paths */

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

/* ---- asking and telling */

/* Standard error, so that scripts read nothing of it. */
static void say_next(const json_t *answer)
{
	const char *next = jstr(answer, "next");

	if (next)
		fprintf(stderr, "There is more: --after %s\n", next);
}

int admin_show(const struct admin_line *line, char *path, void (*print)(const json_t *answer))
{
	json_auto_t *answer = NULL;

	admin_path_add(&path, "after", line->after);
	admin_path_add(&path, "limit", line->limit);
	answer = identity_ask(line->conf, "GET", path, NULL);
	mx_free(path);
	if (!answer)
		return EXIT_FAILURE;
	if (line->as_json || !print)
		return console_print_json(answer);
	print(answer);
	say_next(answer);
	return EXIT_SUCCESS;
}

/* Whoever became root is more to the point than root. */
static const char *user_name(void)
{
	const char *before_sudo = getenv("SUDO_USER");
	const struct passwd *entry;

	if (before_sudo && *before_sudo)
		return before_sudo;
	entry = getpwuid(getuid());
	return entry ? entry->pw_name : "somebody";
}

int admin_tell(const struct admin_line *line, const char *method, char *path, json_t *body)
{
	json_auto_t *sent = body ? body : json_object(), *answer = NULL;

	json_object_set_new(sent, "by", json_string(user_name()));
	if (line->reason)
		json_object_set_new(sent, "reason", json_string(line->reason));
	answer = identity_ask(line->conf, method, path, sent);
	mx_free(path);
	if (!answer)
		return EXIT_FAILURE;
	if (line->as_json)
		return console_print_json(answer);
	puts("done");
	return EXIT_SUCCESS;
}

void admin_print_each(const json_t *answer, const char *key, void (*print)(const json_t *item))
{
	json_t *item;
	size_t i;

	if (json_array_size(jarr(answer, key)) == 0)
		fputs("There is nothing to show.\n", stderr);
	json_array_foreach (jarr(answer, key), i, item)
		print(item);
}
