/* The `replication` section of the configuration. */
#pragma once

#include <cyaml/cyaml.h>
#include <stdint.h>

struct mx_error;

#define REPLICATION_PEERS_MAX 64

struct replication_peer_conf {
	const char *name; /* in its certificate, and in its signatures */
	const char *url; /* where ours are pushed to; NULL: it only pushes to us */
	const char **public_keys;
	unsigned public_keys_count;
};

struct replication_conf {
	const char *address; /* to listen at */
	uint16_t port; /* 0: peers cannot push to us */
	const char *certificate, *key; /* files; for both directions */
	const char *ca_file; /* whose certificates peers must have; NULL = the system's */
	struct replication_peer_conf *peers;
	unsigned peers_count;
};

extern const cyaml_schema_field_t replication_conf_fields[];

/* Fills defaults; -MX_BAD_CONFIG. */
int replication_conf_check(struct replication_conf *conf, struct mx_error *err);
