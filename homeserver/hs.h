/* What the homeserver's modules share. Everything here lives from start to stop. */
#pragma once

#include <stdint.h>

struct attempts;
struct authn;
struct budgets;
struct chores;
struct daemon;
struct erased;
struct filters;
struct lazy_members;
struct hs_conf;
struct mailer;
struct media;
struct mx_arena;
struct mx_error;
struct mx_metrics;
struct net;
struct outbox;
struct own_keys;
struct passwords;
struct presence;
struct profiles;
struct req;
struct rooms;
struct route;
struct shared_secret;
struct store;
struct store_txn;
struct store_view;
struct stream;
struct template_set;
struct typing;

struct hs {
	const struct hs_conf *conf; /* of the start: for what only a restart changes */
	const struct hs_conf *_Atomic newest; /* see conf_of(); NULL before a reload */
	struct daemon *daemon;
	struct mx_metrics *metrics;
	struct store *store;
	struct net *net;
	struct own_keys *keys;
	struct stream *stream;
	struct rooms *rooms;
	struct authn *authn;
	struct passwords *passwords;
	struct attempts *attempts;
	struct erased *erased; /* NULL: nobody is */
	struct shared_secret *register_secret; /* NULL: there is none */
	struct filters *filters;
	struct lazy_members *lazy_members;
	struct typing *typing;
	struct presence *presence;
	struct profiles *profiles;
	struct media *media;
	struct template_set *templates;
	struct outbox *outbox;
	struct mailer *mailer; /* NULL: no mail is sent */
	struct budgets *budgets; /* of messages.h */
	struct chores *chores;
	_Atomic uint32_t listed_rooms; /* in the directory, when they were counted last */
	_Atomic int64_t listed_counted_ms;
	int64_t started_ms;
};

/* The configuration in force, for what a reload changes. It stays valid for an hour after the next
 * one: for anything that begins now. */
const struct hs_conf *conf_of(const struct hs *hs);

/* Opens everything in its order. */
int hs_start(struct daemon *daemon, const void *conf, void **ret_hs, struct mx_error *err);
/* Backwards; also what a failed start left. */
void hs_stop(void *hs);
/* What fails keeps what it had. */
void hs_reload(void *hs, const void *conf);
