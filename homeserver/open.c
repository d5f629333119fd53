#include "homeserver/open.h"

#include "homeserver/account/threepids_db.h"
#include "homeserver/hs.h"
#include "homeserver/hs_conf.h"
#include "homeserver/userdata/filter_db.h"
#include "homeserver/userdata/filters.h"
#include "shared/daemon/daemon.h"
#include "shared/outbox/outbox.h"
#include "shared/store/store.h"

#define TABLES_MAX 128

static size_t add_tables(const struct store_table **tables, size_t len,
			 const struct store_table *const *more)
{
	while (*more && len < TABLES_MAX)
		tables[len++] = *more++;
	return len;
}

static int open_store(struct hs *hs, struct mx_error *err)
{
	const struct store_table *tables[TABLES_MAX + 1] = { 0 };
	size_t len = 0;
	const struct store_conf conf = {
		.tables = tables,
		.cache_bytes = (size_t)hs->conf->daemon.cache_mb * 1024 * 1024,
	};

	len = add_tables(tables, len, outbox_tables);
	len = add_tables(tables, len, threepids_tables);
	add_tables(tables, len, filter_tables);
	return daemon_store(hs->daemon, &conf, &hs->store, err);
}

int hs_open(struct hs *hs, struct mx_error *err)
{
	int rc = open_store(hs, err);

	hs->filters = filters_new();
	return rc ? rc : daemon_net(hs->daemon, &hs->net, err);
}
