/* Keeps what is asked for fresh: servers asked within the last days, and those of the prefetch
 * list, are fetched again in the background when half of their validity is over. */
#pragma once

#include "shared/core/slice.h"

#include <stddef.h>
#include <stdint.h>

struct key_entry;
struct mx_error;
struct notary;
struct refresh;
struct store_table;

extern const struct store_table refresh_table;

/* Reads who was asked for from the store and the prefetch list. The thread starts with
 * refresh_start(), when everything in notary is there. */
int refresh_new(struct notary *notary, struct refresh **ret_refresh, struct mx_error *err);
void refresh_start(struct refresh *refresh);

/* Stops the thread; fetches that it started may still end after this, but not touch it. */
void refresh_stop(struct refresh *refresh);
void refresh_free(struct refresh *refresh);

/* Somebody asked for server; entry is what is known of it, or NULL. Cheap, any thread. */
void refresh_note(struct refresh *refresh, struct mx_slice server, const struct key_entry *entry);

/* Names that are always kept fresh, besides those asked for; durable. */
int refresh_prefetch(struct refresh *refresh, struct mx_slice server, struct mx_error *err);
/* Takes that back: from now on it is fresh as long as it is asked for. -MX_NOT_FOUND. */
int refresh_release(struct refresh *refresh, struct mx_slice server, struct mx_error *err);
/* Reads the prefetch list again (NULL = none): what is not in it any more is fresh as long as it is
 * asked for. If it cannot be read the old one stays. */
int refresh_reload(struct refresh *refresh, const char *prefetch_file, struct mx_error *err);

size_t refresh_count(struct refresh *refresh); /* servers that are kept fresh */

/* One round, now: what the thread does every few seconds (tests). */
void refresh_round(struct refresh *refresh);
