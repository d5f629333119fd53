/* trinity-homeserver. */
#include "homeserver/commands.h"
#include "homeserver/hs.h"
#include "homeserver/hs_conf.h"
#include "homeserver/message/messages.h"
#include "homeserver/params.h"
#include "homeserver/routes.h"
#include "shared/crypto/ed25519.h"
#include "shared/daemon/daemon.h"

/* The signing file is made at the first start. */
static void hs_paths(const void *conf_ptr, struct daemon_paths *paths)
{
	const struct hs_conf *conf = conf_ptr;

	daemon_path_add(paths, conf->keys.signing_file, DAEMON_PATH_WRITE | DAEMON_PATH_BACKUP);
	daemon_path_add(paths, conf->registration.shared_secret_file, DAEMON_PATH_NEEDED);
	daemon_path_add(paths, conf->mail.password_file, DAEMON_PATH_NEEDED);
	daemon_path_add(paths, conf->mail.ca_file, DAEMON_PATH_NEEDED);
	daemon_path_add(paths, conf->templates.directory, DAEMON_PATH_NEEDED);
	daemon_path_add(paths, conf->recaptcha.secret_file, DAEMON_PATH_NEEDED);
	daemon_path_add(paths, conf->turn.secret_file, DAEMON_PATH_NEEDED);
}

static const char *const fixed_keys[] = {
	"server_name",
	"public_base_url",
	"keys",
	"templates.directory",
	"mail.per_domain",
	"mail.domain_pause_ms",
	"mail.give_up_hours",
	"password.at_once",
	"registration.shared_secret_file",
	NULL,
};

static const struct daemon_check checks[] = {
	{ "mail", messages_why_not, true },
	{ 0 },
};

static const struct daemon_command *const commands[] = { hs_commands, NULL };

static const struct daemon_app app = {
	.name = HS_PROGRAM,
	.default_conf = "/etc/trinity/homeserver.yaml",
	.conf_schema = &hs_conf_schema,
	.conf_check = hs_conf_check,
	.fixed_keys = fixed_keys,
	.paths = hs_paths,
	.start = hs_start,
	.files_check = messages_check,
	.reload = hs_reload,
	.stop = hs_stop,
	.routes = hs_routes,
	.admin_routes = hs_admin_routes,
	.aliases = hs_aliases,
	.param_types = hs_param_types,
	.plus_is_blank = true,
	.checks = checks,
	.commands = commands,
};

int main(int argc, char **argv)
{
	mx_crypto_init();
	return daemon_main(&app, argc, argv);
}
