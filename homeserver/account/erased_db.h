/* erased: user → since when. */
#pragma once

#include "shared/core/slice.h"

#include <stdbool.h>
#include <stdint.h>

struct hs_call;
struct mx_str;
struct page;
struct store_rows;
struct store_table;

extern const struct store_table erased_table;

/* -MX_NOT_FOUND. */
int erased_db_load(const struct hs_call *call, const char *user, int64_t *ret_since_ms);
void erased_db_put(const struct hs_call *call, const char *user, int64_t since_ms);
/* Rows for erased_db_read(); in call->mem. */
int erased_db_list(const struct hs_call *call, const struct page *page,
		   struct store_rows *ret_rows);
/* Also for store_watch(); false for what is broken. */
bool erased_db_read(struct mx_slice key, struct mx_slice value, struct mx_str *ret_user,
		    int64_t *ret_since_ms);
