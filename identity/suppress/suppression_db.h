/* Records of suppressions: (medium, what) → reason and time. */
#pragma once

#include "identity/suppress/suppression.h"

/* By call->txn, or call->view without one; strings in call->mem. -MX_NOT_FOUND. */
int suppression_db_get(const struct identity_call *call, const char *medium, const char *what,
		       struct suppression *ret_suppression);
void suppression_db_put(const struct identity_call *call, const struct suppression *suppression);
void suppression_db_delete(const struct identity_call *call, const struct suppression *suppression);
int suppression_db_list(const struct identity_call *call, const struct page *page,
			struct suppression_list *ret_list);
