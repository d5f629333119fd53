#include "shared/store/store_reader.h"

#include "shared/core/error.h"
#include "shared/store/key.h"
#include "shared/store/store.h"

int store_reader_get(const struct store_reader *reader, const struct store_table *table,
		     struct mx_slice key, struct mx_slice *ret_value)
{
	if (reader->txn)
		return store_txn_get(reader->txn, table, key, reader->mem, ret_value);
	return store_get(reader->view, table, key, reader->mem, ret_value);
}

int store_reader_find(const struct store_reader *reader, const struct store_table *table,
		      const struct store_key *key, struct mx_slice *ret_value)
{
	if (key->overflow)
		return -MX_NOT_FOUND;
	return store_reader_get(reader, table, store_key_slice(key), ret_value);
}

int store_reader_scan(const struct store_reader *reader, const struct store_table *table,
		      const struct store_range *range, struct store_rows *ret_rows)
{
	if (reader->txn)
		return store_txn_scan(reader->txn, table, range, reader->mem, ret_rows);
	return store_scan(reader->view, table, range, reader->mem, ret_rows);
}
