/* trinity-homeserver user …, registration-token …: what they say, the running daemon does. */
#include "homeserver/commands.h"
#include "homeserver/hs_conf.h"
#include "shared/core/alloc.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/core/url.h"
#include "shared/daemon/console.h"
#include "shared/json/json.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#define USERS  "/admin/v1/users"
#define TOKENS "/admin/v1/registration-tokens"

#define USER_USAGE                                                                            \
	"user list | show USER | add NAME [--admin] | password USER [--keep] | admin USER | " \
	"no-admin USER | lock USER | unlock USER | suspend USER | unsuspend USER | "          \
	"sign-out USER | deactivate USER [--erase]"
#define TOKEN_USAGE \
	"registration-token list | add [--token TEXT] [--uses N] [--days N] | remove TEXT"

#define PASSWORD_LINE_MAX 1024

/* ---- asking */

/* A name of ours, or a whole user id, as a path. */
static char *user_path(const void *conf, const char *name, const char *rest)
{
	const struct hs_conf *values = conf;
	mx_autofree char *user = *name == '@' ? mx_strdup(name)
					      : mx_strf("@%s:%s", name, values->server_name);
	struct mx_str path = { 0 };

	mx_str_add_text(&path, USERS "/");
	mx_url_add(&path, mx_slice(user));
	mx_str_add_text(&path, rest);
	return mx_str_steal(&path);
}

/* Takes path and body over. */
static json_t *ask(const void *conf, const char *method, char *path, json_t *body)
{
	json_t *answer = console_ask(HS_PROGRAM, conf, method, path, body);

	json_decref(body);
	mx_free(path);
	return answer;
}

static int tell(const void *conf, const char *method, char *path, json_t *body)
{
	json_auto_t *answer = ask(conf, method, path, body);

	if (!answer)
		return EXIT_FAILURE;
	puts("done");
	return EXIT_SUCCESS;
}

static int show_json(const void *conf, char *path)
{
	json_auto_t *answer = ask(conf, "GET", path, NULL);

	return answer ? console_print_json(answer) : EXIT_FAILURE;
}

/* ---- a password, which is no argument: arguments are seen by everybody on the machine */

static bool read_line(char text[PASSWORD_LINE_MAX])
{
	if (!fgets(text, PASSWORD_LINE_MAX, stdin))
		return false;
	text[strcspn(text, "\r\n")] = '\0';
	return *text != '\0';
}

static bool read_password(char text[PASSWORD_LINE_MAX])
{
	struct termios shown, hidden;
	bool asks = tcgetattr(STDIN_FILENO, &shown) == 0, got;

	if (asks) {
		hidden = shown;
		hidden.c_lflag &= (tcflag_t)~ECHO;
		fputs("Password: ", stderr);
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
	}
	got = read_line(text);
	if (asks) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
		fputs("\n", stderr);
	}
	if (!got)
		fprintf(stderr, HS_PROGRAM ": the password is read from standard input\n");
	return got;
}

/* ---- users */

static void print_user(const json_t *user)
{
	static const char *const words[] = { "admin",       "guest",  "locked", "suspended",
					     "deactivated", "erased", NULL };
	char when[32];

	printf("%s since %s", console_word(user, "user_id"),
	       console_when(jint(user, "created_ts", 0), when));
	for (size_t i = 0; words[i]; i++)
		if (jbool(user, words[i], false))
			printf(", %s", words[i]);
	putchar('\n');
}

/* All pages. */
static int list_users(const void *conf)
{
	mx_autofree char *next = NULL;
	json_t *user;
	size_t i;

	do {
		char *path = next ? mx_strf(USERS "?limit=1000&after=%s", next)
				  : mx_strdup(USERS "?limit=1000");
		json_auto_t *answer = ask(conf, "GET", path, NULL);

		if (!answer)
			return EXIT_FAILURE;
		json_array_foreach (jarr(answer, "users"), i, user)
			print_user(user);
		mx_free(next);
		next = jstr(answer, "next") ? mx_strdup(jstr(answer, "next")) : NULL;
	} while (next);
	return EXIT_SUCCESS;
}

static int add_user(const void *conf, const char *name, bool is_admin)
{
	char password[PASSWORD_LINE_MAX];
	json_auto_t *answer = NULL;

	if (!read_password(password))
		return EXIT_FAILURE;
	answer = ask(conf, "POST", mx_strdup(USERS),
		     json_pack("{s:s, s:s, s:b}", "username", name, "password", password, "admin",
			       is_admin ? 1 : 0));
	sodium_memzero(password, sizeof(password));
	if (!answer)
		return EXIT_FAILURE;
	puts(console_word(answer, "user_id"));
	return EXIT_SUCCESS;
}

static int set_password(const void *conf, const char *name, bool keeps)
{
	char password[PASSWORD_LINE_MAX];
	int status;

	if (!read_password(password))
		return EXIT_FAILURE;
	status = tell(conf, "POST", user_path(conf, name, "/password"),
		      json_pack("{s:s, s:b}", "password", password, "sign_out", keeps ? 0 : 1));
	sodium_memzero(password, sizeof(password));
	return status;
}

static const struct {
	const char *word, *flag;
	int value;
} flag_words[] = {
	{ "admin", "admin", 1 },   { "no-admin", "admin", 0 },    { "lock", "locked", 1 },
	{ "unlock", "locked", 0 }, { "suspend", "suspended", 1 }, { "unsuspend", "suspended", 0 },
};

static int set_flag(const void *conf, const char *word, const char *name)
{
	for (size_t i = 0; i < sizeof(flag_words) / sizeof(flag_words[0]); i++)
		if (streq(word, flag_words[i].word))
			return tell(conf, "PUT", user_path(conf, name, ""),
				    json_pack("{s:b}", flag_words[i].flag, flag_words[i].value));
	return console_usage(HS_PROGRAM, USER_USAGE);
}

int hs_command_user(const void *conf, int argc, char **argv)
{
	bool is_admin = false, keeps = false, erase = false;
	const struct console_option options[] = {
		{ "--admin", .flag = &is_admin },
		{ "--erase", .flag = &erase },
		{ "--keep", .flag = &keeps },
		{ 0 },
	};

	if (!console_options(&argc, argv, options) || argc < 2)
		return console_usage(HS_PROGRAM, USER_USAGE);
	if (argc == 2 && streq(argv[1], "list"))
		return list_users(conf);
	if (argc != 3)
		return console_usage(HS_PROGRAM, USER_USAGE);
	if (streq(argv[1], "show"))
		return show_json(conf, user_path(conf, argv[2], ""));
	if (streq(argv[1], "add"))
		return add_user(conf, argv[2], is_admin);
	if (streq(argv[1], "password"))
		return set_password(conf, argv[2], keeps);
	if (streq(argv[1], "sign-out"))
		return tell(conf, "POST", user_path(conf, argv[2], "/sign-out"), NULL);
	if (streq(argv[1], "deactivate"))
		return tell(conf, "POST", user_path(conf, argv[2], "/deactivate"),
			    json_pack("{s:b}", "erase", erase ? 1 : 0));
	return set_flag(conf, argv[1], argv[2]);
}

/* ---- registration tokens */

static void print_token(const json_t *token)
{
	char when[32];

	printf("%s used %lld times", console_word(token, "token"),
	       (long long)jint(token, "uses", 0));
	if (jint(token, "uses_max", 0))
		printf(" of %lld", (long long)jint(token, "uses_max", 0));
	if (jint(token, "until_ts", 0))
		printf(", until %s", console_when(jint(token, "until_ts", 0), when));
	putchar('\n');
}

static int list_tokens(const void *conf)
{
	json_auto_t *answer = ask(conf, "GET", mx_strdup(TOKENS), NULL);
	json_t *token;
	size_t i;

	if (!answer)
		return EXIT_FAILURE;
	json_array_foreach (jarr(answer, "registration_tokens"), i, token)
		print_token(token);
	return EXIT_SUCCESS;
}

static int add_token(const void *conf, const char *text, int64_t uses, int64_t days)
{
	json_t *body = json_pack("{s:I}", "uses_max", (json_int_t)uses);
	json_auto_t *answer = NULL;

	if (text)
		json_object_set_new(body, "token", json_string(text));
	if (days)
		json_object_set_new(body, "until_ts", json_integer(mx_now_ms() + days * MX_DAY_MS));
	answer = ask(conf, "POST", mx_strdup(TOKENS), body);
	if (!answer)
		return EXIT_FAILURE;
	puts(console_word(answer, "token"));
	return EXIT_SUCCESS;
}

static int remove_token(const void *conf, const char *text)
{
	struct mx_str path = { 0 };

	mx_str_add_text(&path, TOKENS "/");
	mx_url_add(&path, mx_slice(text));
	return tell(conf, "DELETE", mx_str_steal(&path), NULL);
}

/* 0 without an option; false for what is no number of one or more. */
static bool read_number(const char *text, int64_t *ret_number)
{
	*ret_number = 0;
	return !text || (mx_parse_i64(mx_slice(text), ret_number) && *ret_number > 0);
}

int hs_command_registration_token(const void *conf, int argc, char **argv)
{
	const char *text = NULL, *uses_text = NULL, *days_text = NULL;
	const struct console_option options[] = {
		{ "--token", .value = &text },
		{ "--uses", .value = &uses_text },
		{ "--days", .value = &days_text },
		{ 0 },
	};
	int64_t uses, days;

	if (!console_options(&argc, argv, options) || !read_number(uses_text, &uses) ||
	    !read_number(days_text, &days))
		return console_usage(HS_PROGRAM, TOKEN_USAGE);
	if (argc == 2 && streq(argv[1], "list"))
		return list_tokens(conf);
	if (argc == 2 && streq(argv[1], "add"))
		return add_token(conf, text, uses, days);
	if (argc == 3 && streq(argv[1], "remove"))
		return remove_token(conf, argv[2]);
	return console_usage(HS_PROGRAM, TOKEN_USAGE);
}
