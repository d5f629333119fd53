/* What the notary's modules share. Everything here lives from start to stop. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct alarm;
struct budget;
struct daemon;
struct key_fetcher;
struct key_history;
struct net;
struct notary_conf;
struct own_keys;
struct refresh;
struct seal;
struct store;
struct trust;

struct notary {
	const struct notary_conf *conf; /* of the start; what reloads is inside the modules */
	struct mx_metrics *metrics;
	struct store *store;
	struct net *net;
	struct key_history *history;
	struct key_fetcher *fetcher;
	struct own_keys *own;
	struct seal *seal;
	struct trust *trust;
	struct budget *budget;
	struct refresh *refresh;
	struct alarm *alarm;
	int64_t started_mono_ms;
	struct {
		struct mx_metric *warm, *known, *fetched, *stale, *missing, *denied, *budget,
			*deadline;
	} counters;
};
