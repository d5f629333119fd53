/* Key objects from and for elsewhere: import verifies every one, export gives all renewals. */
#pragma once

#include "shared/core/slice.h"

#include <jansson.h>

struct mx_error;
struct notary;

/*
 * objects: [{"server":…,"object":"the object's text"}]; source: what the history shows as their
 * origin. Each is checked as if the server itself had sent it. *ret_report: {"new":n,
 * "renewed":n,"known":n,"conflicts":n,"rejected":[{"server","reason","detail"}]}.
 */
int exchange_import(struct notary *notary, const json_t *objects, const char *source,
		    json_t **ret_report, struct mx_error *err);

/* A page of servers after `after`: {"objects":[{"server","number","object","first_seen_ts",
 * "source"}],"next":"name to go on after" or null}. */
int exchange_export(struct notary *notary, struct mx_slice after, json_t **ret_page,
		    struct mx_error *err);
