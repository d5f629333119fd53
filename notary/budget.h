/* How many servers an asker may make the notary look for: one query can name thousands, and each
 * costs a look-up and a TLS handshake with a stranger. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct budget;

struct budget_conf {
	unsigned burst, per_minute; /* of one asker: an IPv4 /24 or IPv6 /56 */
	unsigned total_burst, total_per_minute; /* of all together */
};

/* Thread-safe. */
struct budget *budget_new(const struct budget_conf *conf);
void budget_free(struct budget *budget);
void budget_set(struct budget *budget, const struct budget_conf *conf);

/* Takes one fetch for the asker with this address (text); false if none is left. */
bool budget_take(struct budget *budget, const char *address);
/* What all askers together may take now; askers with a bucket of their own. */
double budget_left(struct budget *budget);
size_t budget_askers(struct budget *budget);
