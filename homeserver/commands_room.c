/* trinity-homeserver room …, report …: what they say, the running daemon does. */
#include "homeserver/commands.h"
#include "shared/core/alloc.h"
#include "shared/core/str.h"
#include "shared/core/url.h"
#include "shared/daemon/console.h"
#include "shared/json/json.h"

#include <stdio.h>
#include <stdlib.h>

#define ROOM_USAGE                                                             \
	"room list | show ROOM | block ROOM [--reason TEXT] | unblock ROOM | " \
	"blocked | unpublish ROOM"
#define REPORT_USAGE "report list | remove ID"

#define ROOMS   "/admin/v1/rooms"
#define BLOCKED "/admin/v1/blocked-rooms"
#define REPORTS "/admin/v1/reports"

/* ---- asking */

static char *path_of(const char *table, const char *id, const char *rest)
{
	struct mx_str path = { 0 };

	mx_str_addf(&path, "%s/", table);
	mx_url_add(&path, mx_slice(id));
	mx_str_add_text(&path, rest);
	return mx_str_steal(&path);
}

/* Takes path and body over. */
static int tell(const void *conf, const char *method, char *path, json_t *body)
{
	json_auto_t *answer = console_ask(HS_PROGRAM, conf, method, path, body);

	json_decref(body);
	mx_free(path);
	if (!answer)
		return EXIT_FAILURE;
	puts("done");
	return EXIT_SUCCESS;
}

/* The next page of a list, or NULL after saying why not; *next is where it begins, and then where
 * the one behind it does, or NULL. */
static json_t *ask_page(const void *conf, const char *table, char **next)
{
	mx_autofree char *path = *next ? mx_strf("%s?limit=1000&after=%s", table, *next)
				       : mx_strf("%s?limit=1000", table);
	json_t *answer = console_ask(HS_PROGRAM, conf, "GET", path, NULL);
	const char *behind = answer ? jstr(answer, "next") : NULL;

	mx_free(*next);
	*next = behind ? mx_strdup(behind) : NULL;
	return answer;
}

struct listed {
	const char *table, *key;
	void (*print)(const json_t *item);
};

static int list(const void *conf, const struct listed *listed)
{
	char *next = NULL;
	json_t *item;
	size_t i;

	do {
		json_auto_t *answer = ask_page(conf, listed->table, &next);

		if (!answer)
			return EXIT_FAILURE;
		json_array_foreach (jarr(answer, listed->key), i, item)
			listed->print(item);
	} while (next);
	return EXIT_SUCCESS;
}

/* ---- rooms */

static void print_room(const json_t *room)
{
	printf("%s %lld members", console_word(room, "room_id"),
	       (long long)jint(room, "num_joined_members", 0));
	if (jbool(room, "published", false))
		printf(", published");
	if (jbool(room, "blocked", false))
		printf(", blocked");
	if (*console_word(room, "name"))
		printf(": %s", console_word(room, "name"));
	putchar('\n');
}

static void print_blocked(const json_t *room)
{
	char when[32];

	printf("%s since %s: %s\n", console_word(room, "room_id"),
	       console_when(jint(room, "since_ms", 0), when), console_word(room, "reason"));
}

static const struct listed rooms = { ROOMS, "rooms", print_room };
static const struct listed blocked = { BLOCKED, "rooms", print_blocked };

static int show_room(const void *conf, const char *room)
{
	mx_autofree char *path = path_of(ROOMS, room, "");
	json_auto_t *answer = console_ask(HS_PROGRAM, conf, "GET", path, NULL);

	return answer ? console_print_json(answer) : EXIT_FAILURE;
}

static int change_room(const void *conf, const char *word, const char *room, const char *reason)
{
	if (streq(word, "block"))
		return tell(conf, "PUT", path_of(ROOMS, room, "/block"),
			    json_pack("{s:s}", "reason", reason));
	if (streq(word, "unblock"))
		return tell(conf, "DELETE", path_of(ROOMS, room, "/block"), NULL);
	if (streq(word, "unpublish"))
		return tell(conf, "DELETE", path_of(ROOMS, room, "/published"), NULL);
	return console_usage(HS_PROGRAM, ROOM_USAGE);
}

int hs_command_room(const void *conf, int argc, char **argv)
{
	const char *reason = NULL;
	const struct console_option options[] = { { "--reason", .value = &reason }, { 0 } };

	if (!console_options(&argc, argv, options) || argc < 2 ||
	    (reason && !streq(argv[1], "block")))
		return console_usage(HS_PROGRAM, ROOM_USAGE);
	if (argc == 2 && streq(argv[1], "list"))
		return list(conf, &rooms);
	if (argc == 2 && streq(argv[1], "blocked"))
		return list(conf, &blocked);
	if (argc != 3)
		return console_usage(HS_PROGRAM, ROOM_USAGE);
	if (streq(argv[1], "show"))
		return show_room(conf, argv[2]);
	return change_room(conf, argv[1], argv[2], reason ? reason : "");
}

/* ---- reports */

static void print_report(const json_t *report)
{
	static const char *const about[] = { "user_id", "room_id", "event_id" };
	char when[32];

	printf("%s %s by %s about", console_word(report, "id"),
	       console_when(jint(report, "received_ms", 0), when),
	       console_word(report, "reporter"));
	for (size_t i = 0; i < sizeof(about) / sizeof(about[0]); i++)
		if (*console_word(report, about[i]))
			printf(" %s", console_word(report, about[i]));
	printf(": %s\n", console_word(report, "reason"));
}

static const struct listed reports = { REPORTS, "reports", print_report };

int hs_command_report(const void *conf, int argc, char **argv)
{
	if (argc == 2 && streq(argv[1], "list"))
		return list(conf, &reports);
	if (argc == 3 && streq(argv[1], "remove"))
		return tell(conf, "DELETE", path_of(REPORTS, argv[2], ""), NULL);
	return console_usage(HS_PROGRAM, REPORT_USAGE);
}
