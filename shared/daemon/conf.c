#include "shared/daemon/conf.h"

#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/daemon/conf_scan.h"
#include "shared/daemon/daemon.h"

#include <assert.h>
#include <stdarg.h>

struct conf {
	char *path;
	cyaml_schema_field_t *fields; /* the common rows, then the daemon's own */
	cyaml_schema_value_t schema;
	void *values;
};

static void *cyaml_memory(void *ctx, void *ptr, size_t size)
{
	(void)ctx;
	if (size)
		return mx_realloc(ptr, size);
	mx_free(ptr);
	return NULL;
}

/* conf_scan() says what is wrong; this is for what only libcyaml finds. */
__attribute__((format(printf, 3, 0))) static void keep_first_line(cyaml_log_t level, void *ctx,
								  const char *format, va_list args)
{
	struct mx_str *line = ctx;
	char text[200];
	size_t len;

	if (level < CYAML_LOG_ERROR || line->len)
		return;
	vsnprintf(text, sizeof(text), format, args);
	len = strcspn(text, "\n");
	mx_str_add(line, text, len);
}

static cyaml_config_t cyaml_config(struct mx_str *log)
{
	return (cyaml_config_t){
		.log_fn = log ? keep_first_line : NULL,
		.log_ctx = log,
		.mem_fn = cyaml_memory,
		.log_level = CYAML_LOG_ERROR,
		.flags = CYAML_CFG_NO_ALIAS | CYAML_CFG_STYLE_BLOCK,
	};
}

static bool has_key(const cyaml_schema_field_t *fields, const char *key)
{
	for (; fields->key; fields++)
		if (streq(fields->key, key))
			return true;
	return false;
}

static size_t field_count(const cyaml_schema_field_t *fields)
{
	size_t count = 0;

	while (fields[count].key)
		count++;
	return count;
}

/* A daemon's row of a common key's name would be read twice: the common one wins. */
static cyaml_schema_field_t *join_fields(const cyaml_schema_field_t *own)
{
	size_t common = field_count(daemon_conf_fields), len = common;
	cyaml_schema_field_t *all = mx_calloc(common + field_count(own) + 1, sizeof(*all));

	memcpy(all, daemon_conf_fields, common * sizeof(*all));
	for (; own->key; own++)
		if (!has_key(daemon_conf_fields, own->key))
			all[len++] = *own;
	return all;
}

static struct conf *conf_new(const struct daemon_app *app, const char *path)
{
	struct conf *conf = mx_calloc(1, sizeof(*conf));

	assert(app->conf_schema->type == CYAML_MAPPING &&
	       app->conf_schema->flags & CYAML_FLAG_POINTER);
	conf->path = mx_strdup(path);
	conf->fields = join_fields(app->conf_schema->mapping.fields);
	conf->schema = *app->conf_schema;
	conf->schema.mapping.fields = conf->fields;
	return conf;
}

void conf_free(struct conf *conf)
{
	cyaml_config_t config = cyaml_config(NULL);

	if (!conf)
		return;
	if (conf->values)
		cyaml_free(&config, &conf->schema, conf->values, 0);
	mx_free(conf->fields);
	mx_free(conf->path);
	mx_free(conf);
}

static int fill(struct conf *conf, struct mx_slice text, struct mx_error *err)
{
	mx_str_auto log = { 0 };
	cyaml_config_t config = cyaml_config(&log);
	cyaml_err_t rc = cyaml_load_data((const uint8_t *)text.ptr, text.len, &config,
					 &conf->schema, &conf->values, NULL);

	if (rc == CYAML_OK && conf->values)
		return 0;
	return mx_fail(err, MX_BAD_CONFIG, "%s: %s", conf->path,
		       log.len ? log.ptr : cyaml_strerror(rc));
}

int conf_parse(const struct daemon_app *app, const char *file, struct mx_slice text,
	       struct conf **ret_conf, struct mx_error *err)
{
	struct conf *conf = conf_new(app, file);
	mx_str_auto plain = { 0 };
	int rc = conf_scan(file, text, &conf->schema, &plain, err);

	if (rc == 0)
		rc = fill(conf, mx_str_slice(&plain), err);
	if (rc) {
		conf_free(conf);
		return rc;
	}
	*ret_conf = conf;
	return 0;
}

void *conf_values(struct conf *conf)
{
	return conf->values;
}

const char *conf_path(const struct conf *conf)
{
	return conf->path;
}

static void write_schema(const cyaml_schema_value_t *schema, const void *values, struct mx_str *out)
{
	cyaml_config_t config = cyaml_config(NULL);
	char *text = NULL;
	size_t len = 0;
	cyaml_err_t rc = cyaml_save_data(&text, &len, &config, schema, values, 0);

	if (rc == CYAML_OK)
		mx_str_add(out, text, len);
	else
		mx_str_addf(out, "# %s\n", cyaml_strerror(rc));
	mx_free(text);
}

void conf_write(const struct conf *conf, struct mx_str *out)
{
	write_schema(&conf->schema, conf->values, out);
}

static cyaml_schema_field_t field_named(const cyaml_schema_field_t *fields, struct mx_slice key)
{
	for (; fields->key; fields++)
		if (mx_slice_is(key, fields->key))
			return *fields;
	return (cyaml_schema_field_t){ 0 };
}

static void write_field(const struct conf *conf, const char *key, struct mx_str *out)
{
	struct mx_slice rest = mx_slice(key), name;
	cyaml_schema_field_t one[2] = { 0 }, part[2] = { 0 };
	cyaml_schema_value_t schema = conf->schema;

	mx_split_next(&rest, '.', &name);
	one[0] = field_named(conf->fields, name);
	if (mx_split_next(&rest, '.', &name)) {
		part[0] = field_named(one[0].value.mapping.fields, name);
		one[0].value.mapping.fields = part;
	}
	schema.mapping.fields = one;
	write_schema(&schema, conf->values, out);
}

bool conf_same(const struct conf *a, const struct conf *b, const char *key)
{
	mx_str_auto text_a = { 0 }, text_b = { 0 };

	write_field(a, key, &text_a);
	write_field(b, key, &text_b);
	return mx_slice_eq(mx_str_slice(&text_a), mx_str_slice(&text_b));
}
