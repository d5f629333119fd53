/* trinity-identity. */
#include "identity/admin/commands.h"
#include "identity/commands.h"
#include "identity/identity.h"
#include "identity/identity_conf.h"
#include "identity/message/templates.h"
#include "identity/routes.h"
#include "shared/core/str.h"
#include "shared/crypto/ed25519.h"
#include "shared/daemon/daemon.h"

/* The signing file is made at the first start; the others are only read. */
static void identity_paths(const void *conf_ptr, struct daemon_paths *paths)
{
	const struct identity_conf *conf = conf_ptr;

	daemon_path_add(paths, conf->keys.signing_file, DAEMON_PATH_WRITE | DAEMON_PATH_BACKUP);
	daemon_path_add(paths, conf->mail.password_file, DAEMON_PATH_NEEDED);
	daemon_path_add(paths, conf->mail.ca_file, DAEMON_PATH_NEEDED);
	daemon_path_add(paths, conf->sms.secret_file, DAEMON_PATH_NEEDED);
	if (streq(conf->sms.gateway, "command"))
		daemon_path_add(paths, conf->sms.command[0],
				DAEMON_PATH_NEEDED | DAEMON_PATH_EXECUTE);
	daemon_path_add(paths, conf->internal.token_file, DAEMON_PATH_NEEDED);
	daemon_path_add(paths, conf->replication.certificate, DAEMON_PATH_NEEDED);
	daemon_path_add(paths, conf->replication.key, DAEMON_PATH_NEEDED);
	daemon_path_add(paths, conf->replication.ca_file, DAEMON_PATH_NEEDED);
	daemon_path_add(paths, conf->templates.directory, DAEMON_PATH_NEEDED);
	for (unsigned i = 0; i < conf->sources_count; i++) {
		daemon_path_add(paths, conf->sources[i].password_file, DAEMON_PATH_NEEDED);
		daemon_path_add(paths, conf->sources[i].ca_file, DAEMON_PATH_NEEDED);
	}
}

static const char *const fixed_keys[] = {
	"server_name",
	"public_base_url",
	"keys.signing_file",
	"endpoints",
	"templates.directory",
	"mail.per_domain",
	"mail.domain_pause_ms",
	"mail.give_up_hours",
	"audit",
	"replication",
	"sms.parallel",
	"sms.pause_ms",
	"sms.give_up_minutes",
	"sources",
	NULL,
};

static const struct daemon_check checks[] = {
	{ "mail", identity_mail_why_not, true },
	{ "sms", identity_sms_why_not, true },
	{ "sources", identity_sources_why_not, true },
	{ 0 },
};

static const struct daemon_command *const commands[] = { identity_commands, admin_commands, NULL };

static const struct daemon_app app = {
	.name = "trinity-identity",
	.default_conf = "/etc/trinity/identity.yaml",
	.conf_schema = &identity_conf_schema,
	.conf_check = identity_conf_check,
	.fixed_keys = fixed_keys,
	.paths = identity_paths,
	.start = identity_start,
	.files_check = message_templates_check,
	.reload = identity_reload,
	.stop = identity_stop,
	.routes = identity_routes,
	.admin_routes = identity_admin_routes,
	.checks = checks,
	.commands = commands,
	.plural_missing = true,
};

int main(int argc, char **argv)
{
	mx_crypto_init();
	return daemon_main(&app, argc, argv);
}
