/* The modules of the service, opened in the order in which they need each other. */
#pragma once

struct identity;
struct mx_error;

/* On an error what was opened stays: identity_stop() closes it. */
int identity_open(struct identity *identity, struct mx_error *err);
