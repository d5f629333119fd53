/* trinity-identity sessions, invites. */
#include "identity/admin/commands.h"
#include "identity/commands.h"
#include "shared/core/str.h"
#include "shared/json/json.h"

#include <stdio.h>

/* ---- sessions */

static void print_session(const json_t *session)
{
	char created[32], validated[32];

	printf("%s %-9s made %s, validated %s\n", console_word(session, "id"),
	       console_word(session, "state"),
	       console_when(jint(session, "created_ts", 0), created),
	       console_when(jint(session, "validated_ts", 0), validated));
}

static void print_sessions(const json_t *answer)
{
	admin_print_each(answer, "sessions", print_session);
}

int admin_command_sessions(const void *conf, int argc, char **argv)
{
	struct admin_line line;
	char **words = argv + 1;
	bool read = admin_line_read(&line, conf, argc, argv);

	if (read && admin_line_is(&line, "list", 2))
		return admin_show(
			&line,
			admin_path("people", "address", words[1], words[2], "sessions", NULL),
			print_sessions);
	if (read && admin_line_is(&line, "end", 1) && line.reason)
		return admin_tell(&line, "POST", admin_path("sessions", words[1], "end", NULL),
				  NULL);
	return identity_usage("sessions list MEDIUM ADDRESS | end ID --reason TEXT");
}

/* ---- invites */

static const char invites_usage[] =
	"invites list [--address ADDRESS] [--room ROOM] [--pending] | show TOKEN | "
	"resend TOKEN [--reason TEXT] | withdraw TOKEN --reason TEXT | "
	"redrive TOKEN [--reason TEXT]";

static void print_invite(const json_t *invite)
{
	const json_t *notice = jobj(invite, "notice");
	char created[32];

	printf("%s\n  %-9s %s, %s to %s by %s\n", console_word(invite, "token"),
	       console_word(invite, "state"), console_when(jint(invite, "created_ts", 0), created),
	       console_word(invite, "address"), console_word(invite, "room_id"),
	       console_word(invite, "sender"));
	if (jstr(invite, "user_id"))
		printf("  bound to %s\n", console_word(invite, "user_id"));
	if (jstr(notice, "why"))
		printf("  the homeserver is not told yet, tried %lld times: %s\n",
		       (long long)jint(notice, "attempts", 0), console_word(notice, "why"));
}

static void print_invites(const json_t *answer)
{
	admin_print_each(answer, "invites", print_invite);
}

static int list_invites(const struct admin_line *line)
{
	char *path = admin_path("invites", NULL);

	admin_path_add(&path, "address", line->more[0]);
	admin_path_add(&path, "room_id", line->more[1]);
	admin_path_add(&path, "pending", line->more[2]);
	return admin_show(line, path, print_invites);
}

int admin_command_invites(const void *conf, int argc, char **argv)
{
	static const admin_options own = { "--address", "--room", "+--pending" };
	struct admin_line line;
	const char *token;

	if (!admin_line_read_with(&line, own, conf, argc, argv))
		return identity_usage(invites_usage);
	token = line.argc == 3 ? argv[2] : NULL;
	if (admin_line_is(&line, "list", 0))
		return list_invites(&line);
	if (admin_line_is(&line, "show", 1))
		return admin_show(&line, admin_path("invites", token, NULL), print_invite);
	if (admin_line_is(&line, "withdraw", 1) && !line.reason)
		return identity_usage(invites_usage);
	if (admin_line_is(&line, "withdraw", 1) || admin_line_is(&line, "resend", 1) ||
	    admin_line_is(&line, "redrive", 1))
		return admin_tell(&line, "POST", admin_path("invites", token, argv[1], NULL), NULL);
	return identity_usage(invites_usage);
}
