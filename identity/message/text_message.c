#include "identity/identity.h"
#include "identity/message/message.h"
#include "identity/sms/sms.h"
#include "identity/suppress/suppression.h"
#include "shared/core/error.h"
#include "shared/mail/letter.h"

#define SMS_MAX 480 /* bytes: three text messages */

/* Into out, without the line ends of the file. */
static int write_text(struct letter *letter, const struct template_values *values, const char *file,
		      struct mx_str *out)
{
	int rc;

	letter_begin(letter, values);
	rc = letter_render(letter, file, out);
	if (rc)
		return rc;
	while (out->len && out->ptr[out->len - 1] == '\n')
		out->ptr[--out->len] = '\0';
	if (out->len > SMS_MAX)
		return mx_fail(letter->err, MX_SEND_ERROR, "The text message is too long");
	return 0;
}

int message_sms(const struct identity_call *call, const char *msisdn,
		const struct letter_style *style, const char *token, uint64_t *ret_id,
		struct mx_error *err)
{
	const struct template_value token_value = { "token", token };
	const struct template_values values = { &token_value, 1 };
	const struct letterhead head = message_letterhead(call->identity);
	struct letter letter = {
		.head = &head,
		.style = style,
		.mem = call->mem,
		.now_ms = call->now_ms,
		.err = err,
	};
	struct suppression suppression;
	mx_str_auto text = { 0 };
	int rc = suppression_find(call, &(struct threepid){ "msisdn", msisdn }, &suppression);

	if (rc != -MX_NOT_FOUND)
		return rc ? rc : mx_fail(err, MX_SEND_ERROR, "%s", mx_errc(MX_SEND_ERROR)->text);
	rc = write_text(&letter, &values, "sms.txt", &text);
	if (rc)
		return rc;
	return sms_add(call->identity->sms, call->txn, msisdn, text.ptr ? text.ptr : "", ret_id,
		       err);
}

enum outbox_result message_test_sms(const struct identity_call *call, const char *msisdn,
				    struct mx_error *err)
{
	static const struct letter_style style = { 0 };
	static const struct template_values none = { 0 };
	const struct letterhead head = message_letterhead(call->identity);
	struct letter letter = {
		.head = &head,
		.style = &style,
		.mem = call->mem,
		.now_ms = call->now_ms,
		.err = err,
	};
	mx_str_auto text = { 0 };

	if (write_text(&letter, &none, "sms_test.txt", &text))
		return OUTBOX_REFUSED;
	return sms_send(call->identity->sms, msisdn, text.ptr ? text.ptr : "", err);
}
