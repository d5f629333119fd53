/* When and from where a device was last used: written down every few minutes at most. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct hs;
struct req;

/* seen_ms: monotonic, of the last note; 0: never. */
bool seen_is_due(int64_t seen_ms);

/* Of r->user and r->device. Does not wait, and a failure is none of the request's business. Reads
 * the store: not in LANE_IO. */
void seen_note(struct hs *hs, struct req *r);
