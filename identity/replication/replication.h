/*
 * Bindings to and from other identity services, as Sydent's replicate: each pushes what it has
 * signed itself to those it knows, over TLS in which both show certificates. README.md.
 */
#pragma once

#include <stdint.h>

struct identity;
struct mx_error;
struct replication;
struct store_table;

extern const struct store_table replication_peer_table;

/* *ret_replication NULL, and 0, if nobody is to be talked to. */
int replication_open(struct identity *identity, struct replication **ret_replication,
		     struct mx_error *err);
/* Reads the certificate again. NULL does nothing. */
void replication_reload(struct replication *replication);
/* The number in our log up to which every peer that we push to has everything; UINT64_MAX if there
 * is none. */
uint64_t replication_told(const struct identity *identity);
/* Waits for what is under way. NULL does nothing. */
void replication_close(struct replication *replication);
