/* What the files of this folder share: the client's inside. Everything but the fields under
 * `lock` belongs to the network thread. */
#pragma once

#include "shared/net/loop.h"
#include "shared/net/net.h"
#include "shared/net/slots.h"

#include <curl/curl.h>
#include <pthread.h>

struct mx_metric;

struct net {
	struct net_loop loop;
	struct net_slots slots;
	struct net_link jobs; /* all that have begun */
	struct net_dns *dns;
	struct net_wellknown *wellknown;
	struct net_trust *trust;
	CURLM *multi;
	int64_t curl_due_ms; /* -1: curl waits for sockets only */
	bool stopping;

	struct mx_cidr_set *allow, *deny;
	uint16_t *low_ports;
	char *user_agent;
	char *certificate_file, *key_file; /* NULL: nobody is told who we are */
	struct mx_metric *finished[MX_CODE_COUNT], *running, *waiting, *duration;

	pthread_t thread;
	bool thread_runs;
	pthread_mutex_t lock;
	struct net_link submitted;
	bool stop_asked;
};
