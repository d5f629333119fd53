#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/log.h"
#include "shared/json/json.h"
#include "shared/schema/rule.h"
#include "shared/schema/schema.h"

#include <pthread.h>

/* Made of schemas/ by embed.cmake: `texts`, sorted by name. */
#include "shared/schema/schemas.inc"

#define TEXT_COUNT (sizeof(texts) / sizeof(texts[0]))

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards compiled */
static struct mx_schema *compiled[TEXT_COUNT];

const struct mx_schema_text *mx_schema_text_find(struct mx_slice name)
{
	for (size_t i = 0; i < TEXT_COUNT; i++)
		if (mx_slice_is(name, texts[i].name))
			return &texts[i];
	return NULL;
}

static struct mx_schema *text_compile(const struct mx_schema_text *text)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct mx_error err = { 0 };
	struct mx_schema *schema = NULL;
	json_t *json = NULL;

	if (mx_json_parse(mx_slice_of(text->bytes, text->len), &mx_json_default_limits, mem, &json,
			  &err) == 0)
		schema = mx_schema_compile(json, &err);
	if (!schema)
		mx_log(MX_LOG_ERROR, "an embedded schema is not usable and counts as missing",
		       "schema", text->name, "why", err.text, NULL);
	json_decref(json);
	return schema;
}

const struct mx_schema *mx_schema_find(const char *name)
{
	const struct mx_schema_text *text = mx_schema_text_find(mx_slice(name));
	struct mx_schema **slot;

	if (!text)
		return NULL;
	slot = &compiled[text - texts];
	pthread_mutex_lock(&lock);
	if (!*slot)
		*slot = text_compile(text);
	pthread_mutex_unlock(&lock);
	return *slot;
}

const char *mx_schema_name(unsigned index)
{
	return index < TEXT_COUNT ? texts[index].name : NULL;
}
