/* trinity-identity accounts, suppressions, audit, outbox, pepper. */
#include "identity/admin/commands.h"
#include "identity/commands.h"
#include "shared/core/alloc.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/json/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

/* ---- accounts */

static const char accounts_usage[] =
	"accounts list | show USER | sign-out USER --reason TEXT | erase USER --reason TEXT";

static void print_account(const json_t *account)
{
	char created[32], seen[32];

	printf("%s made %s, tokens: %lld, last seen %s\n", console_word(account, "user_id"),
	       console_when(jint(account, "created_ts", 0), created),
	       (long long)jint(account, "tokens", 0),
	       console_when(jint(account, "seen_ts", 0), seen));
}

static void print_accounts(const json_t *answer)
{
	admin_print_each(answer, "accounts", print_account);
}

static void print_whole_account(const json_t *account)
{
	json_t *consent;
	char at[32];
	size_t i;

	print_account(account);
	json_array_foreach (jarr(account, "terms"), i, consent)
		printf("  accepted %s %s (%s) %s from %s\n", console_word(consent, "document"),
		       console_word(consent, "version"), console_word(consent, "url"),
		       console_when(jint(consent, "accepted_ts", 0), at),
		       console_word(consent, "client"));
}

int admin_command_accounts(const void *conf, int argc, char **argv)
{
	struct admin_line line;

	if (!admin_line_read(&line, conf, argc, argv))
		return identity_usage(accounts_usage);
	if (admin_line_is(&line, "list", 0))
		return admin_show(&line, admin_path("accounts", NULL), print_accounts);
	if (admin_line_is(&line, "show", 1))
		return admin_show(&line, admin_path("accounts", argv[2], NULL),
				  print_whole_account);
	if (line.reason &&
	    (admin_line_is(&line, "sign-out", 1) || admin_line_is(&line, "erase", 1)))
		return admin_tell(&line, "POST", admin_path("accounts", argv[2], argv[1], NULL),
				  NULL);
	return identity_usage(accounts_usage);
}

/* ---- suppressions */

static void print_suppression(const json_t *suppression)
{
	char since[32];

	printf("%s %s since %s: %s\n", console_word(suppression, "medium"),
	       console_word(suppression, "what"),
	       console_when(jint(suppression, "since_ts", 0), since),
	       console_word(suppression, "reason"));
}

static void print_suppressions(const json_t *answer)
{
	admin_print_each(answer, "suppressions", print_suppression);
}

int admin_command_suppressions(const void *conf, int argc, char **argv)
{
	struct admin_line line;
	bool read = admin_line_read(&line, conf, argc, argv);

	if (read && admin_line_is(&line, "list", 0))
		return admin_show(&line, admin_path("suppressions", NULL), print_suppressions);
	if (read && admin_line_is(&line, "add", 2) && line.reason)
		return admin_tell(&line, "PUT", admin_path("suppressions", argv[2], argv[3], NULL),
				  NULL);
	if (read && admin_line_is(&line, "remove", 2) && line.reason)
		return admin_tell(&line, "POST",
				  admin_path("suppressions", argv[2], argv[3], "remove", NULL),
				  NULL);
	return identity_usage("suppressions list | add MEDIUM WHAT --reason TEXT | "
			      "remove MEDIUM WHAT --reason TEXT");
}

/* ---- audit */

/* "7d", "12h": so long ago; "2026-01-31": the beginning of that day, UTC. */
static bool read_since(const char *text, int64_t *ret_since_ms)
{
	struct mx_slice number = mx_slice_of(text, strlen(text) - (*text != '\0'));
	const char *end;
	struct tm day = { 0 };
	int64_t count;

	if (mx_parse_i64(number, &count) && count >= 0 && count < 1000000 &&
	    (mx_ends_with(text, "d") || mx_ends_with(text, "h"))) {
		*ret_since_ms = mx_now_ms() -
				count * (mx_ends_with(text, "d") ? MX_DAY_MS : MX_HOUR_MS);
		return true;
	}
	end = strptime(text, "%Y-%m-%d", &day);
	if (!end || *end)
		return false;
	*ret_since_ms = (int64_t)timegm(&day) * MX_SECOND_MS;
	return true;
}

static void print_named(const json_t *row, const char *label, const char *key)
{
	if (*console_word(row, key))
		printf(" %s %s", label, console_word(row, key));
}

static void print_audit(const json_t *row)
{
	char at[32];

	printf("%s %s %s", console_when(jint(row, "at_ts", 0), at), console_word(row, "who"),
	       console_word(row, "what"));
	print_named(row, "address", "address_hash");
	print_named(row, "user", "user_hash");
	print_named(row, "of", "thing");
	printf(": %s\n", console_word(row, "reason"));
}

static void print_audits(const json_t *answer)
{
	admin_print_each(answer, "audit", print_audit);
}

int admin_command_audit(const void *conf, int argc, char **argv)
{
	static const admin_options own = { "--since", "--of", "--of-address" };
	mx_autofree char *since = NULL;
	struct admin_line line;
	int64_t since_ms = 0;
	char *path;

	if (!admin_line_read_with(&line, own, conf, argc, argv) || line.argc != 1 ||
	    (line.more[0] && !read_since(line.more[0], &since_ms)))
		return identity_usage("audit [--since DATE | --since 7d | --since 12h] "
				      "[--of USER] [--of-address MEDIUM:ADDRESS]");
	since = mx_strf("%" PRId64, since_ms);
	path = admin_path("audit", NULL);
	admin_path_add(&path, "since", since);
	admin_path_add(&path, "of", line.more[1]);
	admin_path_add(&path, "of_address", line.more[2]);
	return admin_show(&line, path, print_audits);
}

/* ---- outbox */

static void print_item(const json_t *item)
{
	char created[32], next[32];

	printf("%s %s to %s, made %s, tried %lld times, next %s%s%s\n", console_word(item, "id"),
	       console_word(item, "kind"), console_word(item, "lane"),
	       console_when(jint(item, "created_ts", 0), created),
	       (long long)jint(item, "attempts", 0), console_when(jint(item, "next_ts", 0), next),
	       jstr(item, "why") ? ": " : "", console_word(item, "why"));
}

static void print_items(const json_t *answer)
{
	admin_print_each(answer, "items", print_item);
}

int admin_command_outbox(const void *conf, int argc, char **argv)
{
	static const admin_options own = { "--kind" };
	struct admin_line line;
	bool read = admin_line_read_with(&line, own, conf, argc, argv);
	char *path;

	if (read && admin_line_is(&line, "list", 0)) {
		path = admin_path("outbox", NULL);
		admin_path_add(&path, "kind", line.more[0]);
		return admin_show(&line, path, print_items);
	}
	if (read &&
	    ((admin_line_is(&line, "drop", 1) && line.reason) || admin_line_is(&line, "try", 1)))
		return admin_tell(&line, "POST", admin_path("outbox", argv[2], argv[1], NULL),
				  NULL);
	return identity_usage("outbox list [--kind KIND] | drop ID --reason TEXT | "
			      "try ID [--reason TEXT]");
}

/* ---- the pepper */

int admin_command_pepper(const void *conf, int argc, char **argv)
{
	struct admin_line line;

	if (!admin_line_read(&line, conf, argc, argv) || !admin_line_is(&line, "rotate", 0) ||
	    !line.reason)
		return identity_usage("pepper rotate --reason TEXT");
	return admin_tell(&line, "POST", admin_path("pepper", "rotate", NULL), NULL);
}
