/* One HTTP exchange by curl: to addresses that were found before, within its limits. Network
 * thread only. */
#pragma once

#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/net/plan.h"
#include "shared/net/slots.h"
#include "shared/net/trust.h"

#include <curl/curl.h>

struct net_job;

struct net_transfer {
	struct net_slot slot;
	struct net *net;
	struct net_task *owner; /* woken when done */
	CURL *easy;
	bool in_multi;
	struct curl_slist *headers, *resolve;
	char host[NET_HOST_MAX]; /* that the certificate must be for */
	bool tls;
	size_t max_bytes;

	bool done;
	CURLcode result;
	bool checked; /* the peer is who it should be; the request goes out */
	bool refused, too_large;
	bool crowded; /* an address had too many transfers already */
	struct net_address crowd;
	struct mx_error err;
	struct mx_str body, cache_headers;
	struct mx_str length; /* as the peer says */
	size_t header_bytes;
	char address[NET_ADDRESS_TEXT_MAX];
	char certificate_sha256[NET_CERTIFICATE_HEX_MAX];
	char curl_text[CURL_ERROR_SIZE];
};

/* Runs as soon as the limits permit; the job's place is the one that is tried. */
struct net_transfer *net_transfer_new(const struct net_job *job, struct net_task *owner);

/* In any state: what is under way is cut off. */
void net_transfer_free(struct net_transfer *transfer);

/* curl is through with it. */
void net_transfer_finish(struct net_transfer *transfer, CURLcode result);

/* Of a finished one: 0 if there is an answer, else a code and why. */
int net_transfer_outcome(const struct net_transfer *transfer, struct mx_error *err);

/* What it waits for, for the text of a time-out. */
const char *net_transfer_phase(const struct net_transfer *transfer);
