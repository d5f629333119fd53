/* What a redaction leaves of an event. Spec: room versions, "Redactions". */
#pragma once

struct event;
struct mx_arena;
struct mx_str;

/* Appends the canonical bytes of what is left; `without` (NULL-ended, or NULL) names members
 * that are left out as well. */
void event_redact(const struct event *event, const char *const *without, struct mx_str *out);

/* The same as an event, which has its id. -MX_BAD_JSON. */
int event_left(const struct event *event, struct mx_arena *mem, struct event *ret_left);
