#include "identity/replication/replication_conf.h"

#include "identity/binding/association.h"
#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/id/server_name.h"

#define TEXT_MAX 4096
#define KEYS_MAX 16
#define HTTPS    "https://"

#define MAYBE CYAML_FLAG_OPTIONAL
#define TEXT(type, member) \
	CYAML_FIELD_STRING_PTR(#member, CYAML_FLAG_POINTER | MAYBE, type, member, 1, TEXT_MAX)

static const cyaml_schema_value_t key_entry = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, TEXT_MAX),
};

static const cyaml_schema_field_t peer_fields[] = {
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct replication_peer_conf, name, 1,
			       MX_SERVER_NAME_MAX),
	TEXT(struct replication_peer_conf, url),
	CYAML_FIELD_SEQUENCE("public_keys", CYAML_FLAG_POINTER, struct replication_peer_conf,
			     public_keys, &key_entry, 1, KEYS_MAX),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t peer_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct replication_peer_conf, peer_fields),
};

const cyaml_schema_field_t replication_conf_fields[] = {
	TEXT(struct replication_conf, address),
	CYAML_FIELD_UINT("port", MAYBE, struct replication_conf, port),
	TEXT(struct replication_conf, certificate),
	TEXT(struct replication_conf, key),
	TEXT(struct replication_conf, ca_file),
	CYAML_FIELD_SEQUENCE("peers", CYAML_FLAG_POINTER | MAYBE, struct replication_conf, peers,
			     &peer_entry, 0, REPLICATION_PEERS_MAX),
	CYAML_FIELD_END,
};

static int check_keys(const struct replication_peer_conf *peer, struct mx_error *err)
{
	uint8_t key[32];

	for (unsigned i = 0; i < peer->public_keys_count; i++)
		if (!association_key(peer->public_keys[i], key))
			return mx_fail(err, MX_BAD_CONFIG, "replication.peers: %s is no public key",
				       peer->public_keys[i]);
	return 0;
}

/* The path is put behind it. */
static bool is_base(const char *url)
{
	return mx_starts_with(url, HTTPS) && url[strlen(HTTPS)] && !strpbrk(url, " \t\r\n\"<>?#");
}

static int check_peer(const struct replication_conf *conf, unsigned i, struct mx_error *err)
{
	const struct replication_peer_conf *peer = &conf->peers[i];

	if (!mx_server_name_valid(mx_slice(peer->name)))
		return mx_fail(err, MX_BAD_CONFIG, "replication.peers: %s is no server name",
			       peer->name);
	for (unsigned k = 0; k < i; k++)
		if (streq(conf->peers[k].name, peer->name))
			return mx_fail(err, MX_BAD_CONFIG, "replication.peers: %s is there twice",
				       peer->name);
	if (peer->url && !is_base(peer->url))
		return mx_fail(err, MX_BAD_CONFIG, "replication.peers: %s is no https:// URL",
			       peer->url);
	return check_keys(peer, err);
}

int replication_conf_check(struct replication_conf *conf, struct mx_error *err)
{
	int rc = 0;

	if (!conf->address)
		conf->address = mx_strdup("::");
	if ((conf->port || conf->peers_count) && (!conf->certificate || !conf->key))
		return mx_fail(
			err, MX_BAD_CONFIG,
			"replication.certificate and replication.key are missing: peers show "
			"each other who they are");
	for (unsigned i = 0; rc == 0 && i < conf->peers_count; i++)
		rc = check_peer(conf, i, err);
	return rc;
}
