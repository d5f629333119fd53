#include "shared/core/log.h"
#include "shared/daemon/daemon.h"

#define TEXT_MAX 1024
#define LIST_MAX 64

#define LISTEN   __typeof__(*((struct daemon_conf *)NULL)->listen)
#define TLS      __typeof__(((struct daemon_conf *)NULL)->tls)
#define LOG      __typeof__(((struct daemon_conf *)NULL)->log)
#define HTTP     __typeof__(((struct daemon_conf *)NULL)->http)
#define OUTBOUND __typeof__(((struct daemon_conf *)NULL)->outbound)

#define MAYBE CYAML_FLAG_OPTIONAL

#define TEXT(key, type, member) \
	CYAML_FIELD_STRING_PTR(key, MAYBE | CYAML_FLAG_POINTER, type, member, 1, TEXT_MAX)
#define NUMBER(key, type, member) CYAML_FIELD_UINT(key, MAYBE, type, member)
#define LIST(key, type, member, item) \
	CYAML_FIELD_SEQUENCE(key, MAYBE | CYAML_FLAG_POINTER, type, member, item, 0, LIST_MAX)

static const cyaml_schema_value_t text_item = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, TEXT_MAX),
};

static const cyaml_schema_field_t listen_fields[] = {
	CYAML_FIELD_STRING_PTR("address", CYAML_FLAG_POINTER, LISTEN, address, 1, TEXT_MAX),
	NUMBER("port", LISTEN, port),
	CYAML_FIELD_BOOL("tls", MAYBE, LISTEN, tls),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t listen_item = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, LISTEN, listen_fields),
};

static const cyaml_schema_field_t tls_fields[] = {
	TEXT("certificate", TLS, certificate),
	TEXT("key", TLS, key),
	CYAML_FIELD_END,
};

static const cyaml_strval_t levels[] = {
	{ "debug", CONF_LOG_DEBUG },
	{ "info", CONF_LOG_INFO },
	{ "warn", CONF_LOG_WARN },
	{ "error", CONF_LOG_ERROR },
};

static const cyaml_strval_t formats[] = {
	{ "text", MX_LOG_TEXT },
	{ "json", MX_LOG_JSON },
};

static const cyaml_strval_t sandboxes[] = {
	{ "on", CONF_SANDBOX_ON },
	{ "off", CONF_SANDBOX_OFF },
};

#define CHOICE(key, type, member, rows)                                      \
	CYAML_FIELD_ENUM(key, MAYBE | CYAML_FLAG_STRICT, type, member, rows, \
			 sizeof(rows) / sizeof((rows)[0]))

static const cyaml_schema_field_t log_fields[] = {
	CHOICE("level", LOG, level, levels),
	CHOICE("format", LOG, format, formats),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t http_fields[] = {
	NUMBER("io_threads", HTTP, io_threads),
	NUMBER("work_threads", HTTP, work_threads),
	NUMBER("net_threads", HTTP, net_threads),
	NUMBER("connections", HTTP, connections),
	NUMBER("connections_per_address", HTTP, connections_per_address),
	LIST("trusted_proxies", HTTP, trusted_proxies, &text_item),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t outbound_fields[] = {
	LIST("allow", OUTBOUND, allow, &text_item), LIST("deny", OUTBOUND, deny, &text_item),
	TEXT("dns_servers", OUTBOUND, dns_servers), TEXT("ca_file", OUTBOUND, ca_file),
	NUMBER("transfers", OUTBOUND, transfers),   CYAML_FIELD_END,
};

const cyaml_schema_field_t daemon_conf_fields[] = {
	LIST("listen", struct daemon_conf, listen, &listen_item),
	CYAML_FIELD_MAPPING("tls", MAYBE, struct daemon_conf, tls, tls_fields),
	TEXT("admin", struct daemon_conf, admin),
	TEXT("data_directory", struct daemon_conf, data_directory),
	NUMBER("cache_mb", struct daemon_conf, cache_mb),
	CYAML_FIELD_MAPPING("log", MAYBE, struct daemon_conf, log, log_fields),
	CHOICE("sandbox", struct daemon_conf, sandbox, sandboxes),
	CYAML_FIELD_MAPPING("http", MAYBE, struct daemon_conf, http, http_fields),
	CYAML_FIELD_MAPPING("outbound", MAYBE, struct daemon_conf, outbound, outbound_fields),
	CYAML_FIELD_END,
};
