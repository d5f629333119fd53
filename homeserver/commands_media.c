/* trinity-homeserver media …: what it says, the running daemon does. */
#include "homeserver/commands.h"
#include "homeserver/hs_conf.h"
#include "shared/core/alloc.h"
#include "shared/core/str.h"
#include "shared/core/url.h"
#include "shared/daemon/console.h"
#include "shared/json/json.h"

#include <stdio.h>
#include <stdlib.h>

#define USAGE                                                                \
	"media list USER | show MEDIA | quarantine MEDIA | release MEDIA | " \
	"remove MEDIA | remove-all USER"

#define MXC "mxc://"

/* ---- asking */

/* "mxc://SERVER/ID", or the id of one of ours. */
static char *media_path(const void *conf, const char *media, const char *rest)
{
	const char *id = mx_starts_with(media, MXC) ? strchr(media + strlen(MXC), '/') : NULL;
	struct mx_slice server = mx_slice(((const struct hs_conf *)conf)->server_name);
	struct mx_str path = { 0 };

	if (id)
		server = mx_slice_of(media + strlen(MXC), (size_t)(id - media) - strlen(MXC));
	mx_str_add_text(&path, "/admin/v1/media/");
	mx_url_add(&path, server);
	mx_str_add_char(&path, '/');
	mx_url_add(&path, mx_slice(id ? id + 1 : media));
	mx_str_add_text(&path, rest);
	return mx_str_steal(&path);
}

static int show(const void *conf, const char *media)
{
	mx_autofree char *path = media_path(conf, media, "");
	json_auto_t *answer = console_ask(HS_PROGRAM, conf, "GET", path, NULL);

	return answer ? console_print_json(answer) : EXIT_FAILURE;
}

static int tell(const void *conf, const char *method, const char *path, const json_t *body)
{
	json_auto_t *answer = console_ask(HS_PROGRAM, conf, method, path, body);

	if (!answer)
		return EXIT_FAILURE;
	puts("done");
	return EXIT_SUCCESS;
}

static int set_quarantine(const void *conf, const char *media, bool is_quarantined)
{
	json_auto_t *body = json_pack("{s:b}", "quarantined", is_quarantined);
	mx_autofree char *path = media_path(conf, media, "/quarantine");

	return tell(conf, "PUT", path, body);
}

static int quarantine(const void *conf, const char *media)
{
	return set_quarantine(conf, media, true);
}

static int release(const void *conf, const char *media)
{
	return set_quarantine(conf, media, false);
}

static int drop(const void *conf, const char *media)
{
	mx_autofree char *path = media_path(conf, media, "");

	return tell(conf, "DELETE", path, NULL);
}

/* ---- a user's */

static void print_media(const json_t *media)
{
	char when[32];

	printf(MXC "%s/%s  %s  %lld bytes  %s  %s\n", console_word(media, "server"),
	       console_word(media, "media_id"), console_when(jint(media, "created_ms", 0), when),
	       (long long)jint(media, "size", 0), console_word(media, "content_type"),
	       console_word(media, "filename"));
}

static char *list_path(const void *conf, const char *name, const json_t *last)
{
	const char *server = ((const struct hs_conf *)conf)->server_name;
	mx_autofree char *user = *name == '@' ? mx_strdup(name) : mx_strf("@%s:%s", name, server);
	struct mx_str path = { 0 };

	mx_str_add_text(&path, "/admin/v1/users/");
	mx_url_add(&path, mx_slice(user));
	mx_str_add_text(&path, "/media");
	if (last)
		mx_str_addf(&path, "?after_ms=%lld&after_id=%s",
			    (long long)jint(last, "created_ms", 0), jstr(last, "media_id"));
	return mx_str_steal(&path);
}

/* The answer to one page, or NULL. */
static json_t *print_page(const void *conf, const char *user, const json_t *last)
{
	mx_autofree char *path = list_path(conf, user, last);
	json_t *answer = console_ask(HS_PROGRAM, conf, "GET", path, NULL);
	const json_t *media;
	size_t i;

	json_array_foreach (jarr(answer, "media"), i, media)
		print_media(media);
	return answer;
}

static int list(const void *conf, const char *user)
{
	json_t *page = print_page(conf, user, NULL);
	size_t len;

	while ((len = json_array_size(jarr(page, "media"))) > 0) {
		json_t *next = print_page(conf, user, json_array_get(jarr(page, "media"), len - 1));

		json_decref(page);
		page = next;
	}
	if (!page)
		return EXIT_FAILURE;
	printf("%lld files, %lld bytes\n", (long long)jint(page, "files", 0),
	       (long long)jint(page, "bytes", 0));
	json_decref(page);
	return EXIT_SUCCESS;
}

static bool drop_page(const void *conf, const json_t *page)
{
	const json_t *media;
	size_t i;

	json_array_foreach (jarr(page, "media"), i, media) {
		mx_autofree char *path = media_path(conf, jstr(media, "media_id"), "");
		json_auto_t *answer = console_ask(HS_PROGRAM, conf, "DELETE", path, NULL);

		if (!answer)
			return false;
	}
	return true;
}

static int drop_all(const void *conf, const char *user)
{
	size_t len;

	do {
		mx_autofree char *path = list_path(conf, user, NULL);
		json_auto_t *page = console_ask(HS_PROGRAM, conf, "GET", path, NULL);

		if (!page || !drop_page(conf, page))
			return EXIT_FAILURE;
		len = json_array_size(jarr(page, "media"));
	} while (len > 0);
	puts("done");
	return EXIT_SUCCESS;
}

int hs_command_media(const void *conf, int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(const void *conf, const char *argument);
	} words[] = { { "list", list },       { "show", show },   { "quarantine", quarantine },
		      { "release", release }, { "remove", drop }, { "remove-all", drop_all } };

	for (size_t i = 0; argc == 3 && i < sizeof(words) / sizeof(words[0]); i++)
		if (streq(argv[1], words[i].name))
			return words[i].run(conf, argv[2]);
	return console_usage(HS_PROGRAM, USAGE);
}
