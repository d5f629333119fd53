/* Asking another notary for a server's keys. Spec: server-server API, "Querying Keys Through
 * Another Server". */
#pragma once

#include "shared/keys/key_ring.h"

struct key_question {
	struct net *net;
	struct key_history *history;
	const struct key_notary *notary;
	struct mx_slice server, key_id;
	int64_t minimum_valid_until_ts;
};

/* Records every good object of the server that comes with a trusted countersignature, source
 * "notary:NAME". Waits for the network. False if the notary gave no proper answer. */
bool key_notary_ask(const struct key_question *question);
