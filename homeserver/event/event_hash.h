/* Hashes of events. Spec: server-server API, "Calculating the reference hash for an event" and
 * "Calculating the content hash for an event". */
#pragma once

#include "shared/core/slice.h"

#include <stdbool.h>
#include <stdint.h>

struct event;
struct mx_arena;

/* Over all of it but signatures, hashes and unsigned. */
void event_content_hash(const struct event *event, uint8_t ret_hash[32]);

/* Whether hashes.sha256 is the content's. An event that fails is taken in its redacted form. */
bool event_hash_matches(const struct event *event);

/* Over what a redaction leaves, without the signatures. */
void event_reference_hash(const struct event *event, uint8_t ret_hash[32]);

/* "$…" from the reference hash, as the version writes it; not for versions whose events have
 * ids of their own. */
struct mx_slice event_id_of(const struct event *event, struct mx_arena *mem);
