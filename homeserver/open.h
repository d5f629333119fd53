/* The start of the homeserver, part by part. */
#pragma once

struct hs;
struct mx_error;
struct store_table;

#define HS_TABLES_MAX 128

/* All tables of the homeserver, NULL-ended. */
void hs_tables(const struct store_table *ret_tables[HS_TABLES_MAX + 1]);

/* Everything that needs more than memory, each part after those that it uses. */
int hs_open(struct hs *hs, struct mx_error *err);
