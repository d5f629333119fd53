/* Search filters. Spec: RFC 4515. */
#pragma once

#include "shared/core/str.h"

/* A value as it stands in a filter: whatever is in it, it stays a value. */
void ldap_filter_add_value(struct mx_str *filter, struct mx_slice value);

struct source_conf;
struct threepid;

/* Everybody of the configured filter who has an address; changed at `since` or later, unless it
 * is "". */
void ldap_filter_all(struct mx_str *filter, const struct source_conf *conf, const char *since);

/* Who may have one of the addresses. A directory compares more loosely than we do: look at what
 * it gives back. False if none of them can be asked for. */
bool ldap_filter_of(struct mx_str *filter, const struct source_conf *conf,
		    const struct threepid *threepids, size_t len);
