/* Brings a store that was just opened to the version of this program. */
#pragma once

struct mx_error;
struct store;
struct store_conf;

int store_migrate(struct store *store, const struct store_conf *conf, struct mx_error *err);
