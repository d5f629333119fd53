#include "identity/sms/sms_settings.h"

#include "identity/sms/sms_conf.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/daemon/files.h"
#include "shared/mail/template_text.h"

#include <stdatomic.h>

static int parse(const char *key, const char *text, struct template_text **ret_template,
		 struct mx_error *err)
{
	struct mx_error why = { 0 };

	if (!text || template_text_parse(mx_slice(text), TEMPLATE_TEXT, ret_template, &why) == 0)
		return 0;
	return mx_fail(err, MX_BAD_CONFIG, "sms.%s: line %s", key, why.text);
}

static int parse_templates(const struct sms_conf *conf, struct sms_settings *settings,
			   struct mx_error *err)
{
	int rc = parse("url", conf->url, &settings->url, err);

	if (rc == 0)
		rc = parse("webhook.body", conf->webhook.body, &settings->body, err);
	for (unsigned i = 0; rc == 0 && i < conf->webhook.headers_count; i++)
		rc = parse("webhook.headers", conf->webhook.headers[i], &settings->headers[i], err);
	return rc;
}

static void free_templates(struct sms_settings *settings)
{
	template_text_free(settings->url);
	template_text_free(settings->body);
	for (size_t i = 0; i < SMS_HEADERS_MAX; i++)
		template_text_free(settings->headers[i]);
}

int sms_settings_check_templates(const struct sms_conf *conf, struct mx_error *err)
{
	struct sms_settings settings = { 0 };
	int rc = parse_templates(conf, &settings, err);

	free_templates(&settings);
	return rc;
}

/* Its line end belongs to the editor, not to the secret; another one would end a header. */
static int take_secret(struct sms_settings *settings, const char *path, struct mx_slice text,
		       struct mx_error *err)
{
	while (text.len > 0 && strchr("\r\n \t", text.ptr[text.len - 1]))
		text.len--;
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.ptr[i] < ' ')
			return mx_fail(err, MX_BAD_CONFIG, "sms.secret_file: %s has several lines",
				       path);
	if (text.len == 0)
		return mx_fail(err, MX_BAD_CONFIG, "sms.secret_file: %s is empty", path);
	settings->secret = mx_arena_slice(settings->mem, text).ptr;
	return 0;
}

static int read_secret(struct sms_settings *settings, struct mx_error *err)
{
	const char *path = settings->conf->secret_file;
	mx_autofree char *bytes = NULL;
	struct mx_error why = { 0 };
	size_t len = 0;
	int rc;

	if (!path)
		return 0;
	if (file_read(path, SMS_SECRET_MAX, &bytes, &len, &why))
		return mx_fail(err, MX_BAD_CONFIG, "sms.secret_file: %s", why.text);
	rc = take_secret(settings, path, mx_slice_of(bytes, len), err);
	explicit_bzero(bytes, len);
	return rc;
}

int sms_settings_new(const struct sms_conf *conf, struct sms_settings **ret_settings,
		     struct mx_error *err)
{
	static const struct sms_conf none = { 0 };
	struct sms_settings *settings = mx_calloc(1, sizeof(*settings));
	int rc = 0;

	atomic_init(&settings->refs, 1);
	settings->mem = mx_arena_new(0);
	settings->conf = sms_conf_copy(conf ? conf : &none, settings->mem);
	settings->transport = sms_transport_find(settings->conf->gateway);
	settings->secret = "";
	if (settings->transport)
		rc = read_secret(settings, err);
	if (rc == 0 && settings->transport == &sms_webhook)
		rc = parse_templates(settings->conf, settings, err);
	if (rc) {
		sms_settings_unref(settings);
		return rc;
	}
	*ret_settings = settings;
	return 0;
}

struct sms_settings *sms_settings_ref(struct sms_settings *settings)
{
	atomic_fetch_add(&settings->refs, 1);
	return settings;
}

void sms_settings_unref(struct sms_settings *settings)
{
	if (!settings || atomic_fetch_sub(&settings->refs, 1) > 1)
		return;
	free_templates(settings);
	if (*settings->secret)
		explicit_bzero((char *)settings->secret, strlen(settings->secret));
	mx_arena_free(settings->mem);
	mx_free(settings);
}
