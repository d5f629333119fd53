/* The parts of accounts that live from start to stop. */
#pragma once

struct hs;
struct hs_conf;
struct mx_error;
struct store_table;

extern const struct store_table *const accounts_tables[];

/* After the store is open. */
int accounts_open(struct hs *hs, struct mx_error *err);
void accounts_reload(struct hs *hs, const struct hs_conf *conf);
/* Also what a failed start left. */
void accounts_close(struct hs *hs);
