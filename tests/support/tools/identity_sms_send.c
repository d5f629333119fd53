/* identity_sms_send GATEWAY URL SECRET_FILE TIMEOUT_MS: one text message over the real client;
 * prints {"result":"sent","why":"","retry_after_ms":0}. */
#include "identity/sms/sms_conf.h"
#include "identity/sms/sms_settings.h"
#include "shared/core/alloc.h"
#include "shared/core/error.h"
#include "shared/core/str.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const names[] = {
	[OUTBOX_SENT] = "sent",
	[OUTBOX_AGAIN] = "again",
	[OUTBOX_REFUSED] = "refused",
	[OUTBOX_UNSURE] = "unsure",
};

static const char *from[] = { "Trinity" };
static struct sms_originator_conf originators[] = { { "default", from, 1 } };

static int conf_of(char **argv, struct sms_conf *ret_conf)
{
	int64_t timeout_ms;

	if (!mx_parse_i64(mx_slice(argv[4]), &timeout_ms))
		return -MX_BAD_CONFIG;
	*ret_conf = (struct sms_conf){
		.gateway = argv[1],
		.url = argv[2],
		.account = "AC1",
		.secret_file = argv[3],
		.webhook = { .body = "{\"to\": \"{{ to }}\", \"from\": \"{{ from }}\", "
				     "\"text\": \"{{ text }}\"}" },
		.timeout_ms = (unsigned)timeout_ms,
		.countries = { .otherwise = SMS_ALLOW },
		.originators = originators,
		.originators_count = 1,
	};
	return sms_conf_check(ret_conf, NULL);
}

static void send_one(struct net *net, const struct sms_settings *settings)
{
	const struct sms_message message = { .to = "447700900001",
					     .from = from[0],
					     .text = "Code \"1\" & \xC3\xBC\n" };
	struct mx_error err = { 0 };
	enum outbox_result result = sms_transport_send(net, settings, &message, &err);

	json_t *json = json_pack("{s:s, s:s, s:I}", "result", names[result], "why", err.text,
				 "retry_after_ms", (json_int_t)err.retry_after_ms);

	json_dumpf(json, stdout, JSON_COMPACT);
	json_decref(json);
}

int main(int argc, char **argv)
{
	static const char *const allow[] = { "127.0.0.1/32", NULL };
	struct sms_settings *settings;
	struct mx_error err = { 0 };
	struct sms_conf conf;
	struct net *net;

	if (argc != 5 || conf_of(argv, &conf) || sms_settings_new(&conf, &settings, &err) ||
	    net_new(&(struct net_conf){ .allow = allow }, &net, &err)) {
		fprintf(stderr, "identity_sms_send: %s\n", err.text);
		return 2;
	}
	send_one(net, settings);
	net_free(net);
	sms_settings_unref(settings);
	return 0;
}
