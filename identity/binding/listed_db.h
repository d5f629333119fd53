/* Records of what other directories say. */
#pragma once

#include "identity/binding/binding_db.h"
#include "identity/binding/listed.h"

/* -MX_NOT_FOUND; strings in reader->mem. */
int listed_db_load(const struct store_reader *reader, const struct threepid *threepid,
		   struct listed *ret_listed);
void listed_db_put(struct store_txn *txn, const struct listed *listed);
void listed_db_delete(struct store_txn *txn, const struct threepid *threepid);
