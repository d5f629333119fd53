/* The start of the homeserver, part by part. */
#pragma once

struct hs;
struct mx_error;

/* Everything that needs more than memory, each part after those that it uses. */
int hs_open(struct hs *hs, struct mx_error *err);
