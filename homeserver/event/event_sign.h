/* Who must have signed an event, and what is signed of it.
 * Spec: server-server API, "Validating hashes and signatures on received events". */
#pragma once

#include "shared/core/slice.h"

#include <stddef.h>

struct event;
struct mx_arena;
struct mx_str;

#define EVENT_SIGNERS_MAX 3

struct event_signers {
	struct mx_slice servers[EVENT_SIGNERS_MAX]; /* each once */
	size_t len;
};

/* Slices of the event or in mem. */
void event_signers_of(const struct event *event, struct mx_arena *mem,
		      struct event_signers *ret_signers);

/* Appends the bytes that signatures cover: the redacted form without them. Check one with
 * mx_check_signature(&event->doc, …). */
void event_signed_bytes(const struct event *event, struct mx_str *out);
