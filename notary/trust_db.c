#include "notary/trust_db.h"

#include "notary/trust.h"
#include "shared/core/error.h"
#include "shared/store/each.h"
#include "shared/store/key.h"
#include "shared/store/record.h"
#include "shared/store/store.h"

const struct store_table trust_table = { .name = "trust" };

static void write_decision(const struct trust_decision *decision, struct mx_str *out)
{
	record_begin(out, 1);
	record_put_u64(out, decision->denied);
	record_put_i64(out, decision->since_ms);
	record_put_bytes(out, decision->reason);
	record_put_u64(out, decision->pins_len);
	for (size_t i = 0; i < decision->pins_len; i++) {
		record_put_bytes(out, decision->pins[i].key_id);
		record_put_bytes(out, mx_slice_of(decision->pins[i].public_key, 32));
	}
}

static bool read_decision(struct mx_slice value, struct trust_decision *ret_decision)
{
	struct record_reader reader = record_open(value);

	*ret_decision = (struct trust_decision){ .denied = record_u64(&reader) != 0 };
	ret_decision->since_ms = record_i64(&reader);
	ret_decision->reason = record_bytes(&reader);
	ret_decision->pins_len = record_u64(&reader);
	if (ret_decision->pins_len > TRUST_PINS_MAX)
		return false;
	for (size_t i = 0; i < ret_decision->pins_len; i++) {
		struct trust_pin *pin = &ret_decision->pins[i];
		struct mx_slice key;

		pin->key_id = record_bytes(&reader);
		key = record_bytes(&reader);
		if (key.len != sizeof(pin->public_key))
			return false;
		memcpy(pin->public_key, key.ptr, key.len);
	}
	return record_ok(&reader);
}

int trust_db_put(struct store *store, struct mx_slice server, const struct trust_decision *decision,
		 struct mx_error *err)
{
	struct store_txn *txn = store_txn_begin(store);
	struct store_key key = { 0 };
	mx_str_auto value = { 0 };

	store_key_text(&key, server);
	if (!decision->denied && decision->pins_len == 0) {
		store_txn_delete(txn, &trust_table, store_key_slice(&key));
		return store_txn_commit(txn, err);
	}
	write_decision(decision, &value);
	store_txn_put(txn, &trust_table, store_key_slice(&key), mx_str_slice(&value));
	return store_txn_commit(txn, err);
}

struct visitor {
	void (*visit)(void *ctx, struct mx_slice server, const struct trust_decision *decision);
	void *ctx;
};

static void visit_row(void *ctx, const struct store_row *row)
{
	const struct visitor *visitor = ctx;
	struct mx_slice rest = row->key;
	struct trust_decision decision;
	mx_str_auto server = { 0 };

	if (store_key_read_text(&rest, &server) && read_decision(row->value, &decision))
		visitor->visit(visitor->ctx, mx_str_slice(&server), &decision);
}

int trust_db_each(struct store *store,
		  void (*visit)(void *ctx, struct mx_slice server,
				const struct trust_decision *decision),
		  void *ctx, struct mx_error *err)
{
	struct visitor visitor = { visit, ctx };

	return store_each(store, &trust_table, visit_row, &visitor, err);
}
