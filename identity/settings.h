/* What the configuration means for each module: at the start, and again at a reload. */
#pragma once

struct daemon;
struct identity;
struct identity_conf;
struct mx_error;

/* How often one client may ask. */
void identity_limits(struct daemon *daemon, const struct identity_conf *conf);

/* identity->keys: made, or given other settings if they are there. What cannot be read is an error,
 * and they stay as they were. */
int identity_keys(struct identity *identity, const struct identity_conf *conf,
		  struct mx_error *err);
