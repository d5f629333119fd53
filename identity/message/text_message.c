#include "identity/identity.h"
#include "identity/message/letter.h"
#include "identity/sms/sms.h"
#include "identity/suppress/suppression.h"
#include "shared/core/error.h"

#define SMS_MAX 480 /* bytes: three text messages */

int message_sms(const struct identity_call *call, const char *msisdn,
		const struct message_style *style, const char *token, uint64_t *ret_id,
		struct mx_error *err)
{
	const struct template_value token_value = { "token", token };
	const struct template_values values = { &token_value, 1 };
	struct letter letter = { .call = call, .style = style, .err = err };
	struct suppression suppression;
	mx_str_auto text = { 0 };
	struct mx_slice trimmed;
	int rc;

	rc = suppression_find(call, &(struct threepid){ "msisdn", msisdn }, &suppression);
	if (rc != -MX_NOT_FOUND)
		return rc ? rc : mx_fail(err, MX_SEND_ERROR, "%s", mx_errc(MX_SEND_ERROR)->text);
	letter_begin(&letter, &values);
	rc = letter_render(&letter, "sms.txt", &text);
	if (rc)
		return rc;
	trimmed = mx_str_slice(&text);
	while (trimmed.len && trimmed.ptr[trimmed.len - 1] == '\n')
		text.ptr[--trimmed.len] = '\0';
	if (trimmed.len > SMS_MAX)
		return mx_fail(err, MX_SEND_ERROR, "The text message is too long");
	return sms_add(call->identity->sms, call->txn, msisdn, trimmed.ptr, ret_id, err);
}
