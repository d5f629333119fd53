/* The common main of the daemons: options, configuration, logging, privileges, readiness,
 * reload, shutdown, admin listener, subcommands. */
#pragma once

#include "shared/core/error.h"
#include "shared/http/http_server.h"

#include <cyaml/cyaml.h>
#include <stdbool.h>

struct daemon;
struct mx_metrics;

/* What is not in the file is 0, so the values count from the default. */
enum conf_log_level { CONF_LOG_INFO, CONF_LOG_DEBUG, CONF_LOG_WARN, CONF_LOG_ERROR };
enum conf_sandbox { CONF_SANDBOX_ON, CONF_SANDBOX_OFF };

/* What every configuration file has; a daemon's own struct begins with it. */
struct daemon_conf {
	struct {
		char *address;
		uint16_t port;
		bool tls;
	} * listen;
	unsigned listen_count;
	struct {
		char *certificate, *key;
	} tls;
	char *admin; /* "127.0.0.1:PORT", "[::1]:PORT" or "unix:/path" */
	char *data_directory;
	unsigned cache_mb;
	struct {
		int level, format; /* enum conf_log_level, enum mx_log_format */
	} log;
	int sandbox; /* enum conf_sandbox */
	struct {
		unsigned io_threads, work_threads, net_threads, connections,
			connections_per_address;
		char **trusted_proxies;
		unsigned trusted_proxies_count;
	} http;
	struct {
		char **allow, **deny;
		unsigned allow_count, deny_count;
		char *dns_servers, *ca_file;
		unsigned transfers;
	} outbound;
};

/* The rows of struct daemon_conf. A daemon's schema lists only its own rows: the loader puts
 * these in front of them. */
extern const cyaml_schema_field_t daemon_conf_fields[];

/* Files and directories that a daemon uses besides its data directory, its configuration and the
 * files that `tls` and `outbound` name. */
enum daemon_path_flags {
	DAEMON_PATH_WRITE = 1, /* also written, or files in it are */
	DAEMON_PATH_BACKUP = 2, /* goes into a backup: signing keys */
	DAEMON_PATH_NEEDED = 4, /* --check fails if it cannot be read */
	DAEMON_PATH_EXECUTE = 8, /* a program that the daemon starts; with one, the sandbox lets
				    it and the system's programs be executed */
};
struct daemon_paths;
/* For daemon_app.paths: what the sandbox lets through and a backup takes along. path is copied;
 * NULL and "" are ignored. */
void daemon_path_add(struct daemon_paths *paths, const char *path, unsigned flags);

/* A reason why the daemon is not ready, or not quite; NULL text = fine. */
struct daemon_check {
	const char *name; /* "store" */
	const char *(*why_not)(void *ctx);
	bool is_warning; /* leaves it ready: taking it out of service would not help */
};

/* A subcommand: `trinity-notary inspect example.org`. */
struct daemon_command {
	const char *name, *arguments, *help;
	bool needs_conf;
	/* argv[0] is the command's name; the exit status. conf is the loaded configuration. */
	int (*run)(const void *conf, int argc, char **argv);
};

struct daemon_app {
	const char *name; /* "trinity-notary" */
	const char *default_conf; /* "/etc/trinity/notary.yaml" */
	const cyaml_schema_value_t *conf_schema; /* a mapping by pointer; its struct begins
						    with daemon_conf */
	/* Fills defaults and checks what the schema cannot; no side effects. */
	int (*conf_check)(void *conf, struct mx_error *err);
	/* Its keys that only a restart takes over, ended by NULL; may be NULL. "fetch.total_ms"
	 * is one of a section. A reload that changes one says so in the log. */
	const char *const *fixed_keys;
	/* Names its files with daemon_path_add(); may be NULL. */
	void (*paths)(const void *conf, struct daemon_paths *paths);
	/* Builds everything; *ret_ctx goes to the calls below. conf stays valid until after stop.
	 */
	int (*start)(struct daemon *daemon, const void *conf, void **ret_ctx, struct mx_error *err);
	/* Reads the files that conf names and the daemon cannot do with when they are broken: for
	 * --check, and before a reload, which is refused as a whole then. May be NULL. */
	int (*files_check)(const void *conf, struct mx_error *err);
	/* A new configuration that passed conf_check: take over what can change while running.
	 * The old one stays valid for an hour more, longer than anything that began with it. */
	void (*reload)(void *ctx, const void *conf);
	/* After the listeners closed, before the outbound client and the store do. */
	void (*stop)(void *ctx);
	const struct route *const *routes; /* public listeners */
	const struct route *const *admin_routes; /* admin listener, besides the common ones */
	const struct route_alias *aliases; /* of the public listeners' paths; see struct http_app */
	const struct param_type *param_types;
	const struct daemon_check *checks; /* ended by { 0 } */
	/* Besides the common ones: tables, each ended by { 0 }, and NULL behind the last. */
	const struct daemon_command *const *commands;
	bool plural_missing, plus_is_blank; /* see struct http_app */
};

/* The whole of main(). Common options: -c FILE, --check, --version, --help; common commands:
 * backup DIR, restore DIR, status, reload, help. */
int daemon_main(const struct daemon_app *app, int argc, char **argv);

/* For reload(): what the log says of a part that does not load, and of a key that cannot change. */
void daemon_part_stays(const char *part, const struct mx_error *err);
void daemon_key_waits(const char *key);

/* For start(): what the daemon's modules share. */
struct mx_metrics *daemon_metrics(struct daemon *daemon);
struct store;
/* Opens the store in the data directory with the daemon's tables; the daemon closes it last and
 * serves backup. */
struct store_conf;
int daemon_store(struct daemon *daemon, const struct store_conf *conf, struct store **ret_store,
		 struct mx_error *err);
struct net;
/* The outbound client by the `outbound` section. */
int daemon_net(struct daemon *daemon, struct net **ret_net, struct mx_error *err);
/* Rates of the route classes, before the listeners open. */
void daemon_limits(struct daemon *daemon, const struct http_limit limits[LIMIT_COUNT]);
/* From start(): these instead of daemon_app.routes; they live as long as the daemon. */
void daemon_routes(struct daemon *daemon, const struct route *const *routes);
/* Bodies of the public rows with ROUTE_SPOOL become files in the data directory, of at most max()
 * bytes each; those that a crash left are removed. */
int daemon_spool(struct daemon *daemon, uint64_t (*max)(void *ctx), struct mx_error *err);
/* A directory of files that never change, in the data directory: for backups, too. Between hold and
 * release none of them is removed, and all that the store counts then are there. */
struct daemon_tree {
	const char *name; /* "media" */
	void (*hold)(void *ctx);
	void (*release)(void *ctx);
	void *ctx;
};
void daemon_tree(struct daemon *daemon, const struct daemon_tree *tree);
/* The authenticator of the public listeners; NULL without. */
void daemon_authenticate(struct daemon *daemon, int (*authenticate)(struct req *r));
/* Their last gate, see struct http_app; NULL without. */
void daemon_pass(struct daemon *daemon, int (*pass)(struct req *r));
/* Whom their people may turn to, see struct http_app; NULL without. */
void daemon_contact(struct daemon *daemon, const char *(*admin_contact)(struct req *r));

/* For subcommands: asks the running daemon over its admin listener. path: "/admin/…". The
 * answer's body is in *ret_text (mx_free), also on an HTTP error. -MX_REMOTE_FAILED with advice
 * if no daemon answers. */
int daemon_ask(const struct daemon_conf *conf, const char *method, const char *path,
	       const char *body, int *ret_status, char **ret_text, struct mx_error *err);
