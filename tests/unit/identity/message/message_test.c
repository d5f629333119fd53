#include "identity/message/message.h"

#include "identity/identity.h"
#include "identity/identity_conf.h"
#include "identity/message/templates.h"
#include "identity/sms/sms.h"
#include "identity/suppress/suppression.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/http/request.h"
#include "shared/mail/address.h"
#include "shared/mail/mailer.h"
#include "tests/support/store_fixture.h"

#include <sys/stat.h>

/* wrap: mailer_add sms_add req_query req_header reply_owned reply_header reply_status */
/* wrap: suppression_find */

static struct mx_arena *mem;
static struct identity identity;
static struct identity_conf conf = {
	.server_name = (char *)"id.example.org",
	.public_base_url = (char *)"https://id.example.org",
	.templates.brand = (char *)"house",
	.templates.language = (char *)"en",
};
static char *directory;

/* What was queued or answered last. */
static struct {
	char *subject, *text, *html, *to, *language;
} sent;
static const char *query_brand, *host, *accept_language;
static const char *suppressed; /* an address or a number */
static char *page;
static int page_status;

static void forget(void)
{
	mx_free(sent.subject);
	mx_free(sent.text);
	mx_free(sent.html);
	mx_free(sent.to);
	mx_free(sent.language);
	memset(&sent, 0, sizeof(sent));
	mx_free(page);
	page = NULL;
}

int __wrap_mailer_add(struct mailer *mailer, struct store_txn *txn, const struct mail_address *to,
		      const struct mail *mail, uint64_t *ret_id, struct mx_error *err);
int __wrap_sms_add(struct sms *sms, struct store_txn *txn, const char *msisdn, const char *text,
		   uint64_t *ret_id, struct mx_error *err);
const char *__wrap_req_query(struct req *r, const char *name);
const char *__wrap_req_header(const struct req *r, const char *name);
int __wrap_suppression_find(const struct identity_call *call, const struct threepid *threepid,
			    struct suppression *ret_suppression);
void __wrap_reply_owned(struct req *r, const char *content_type, char *bytes, size_t len);
void __wrap_reply_header(struct req *r, const char *name, const char *value);
void __wrap_reply_status(struct req *r, int status);

int __wrap_mailer_add(struct mailer *mailer, struct store_txn *txn, const struct mail_address *to,
		      const struct mail *mail, uint64_t *ret_id, struct mx_error *err)
{
	(void)mailer;
	(void)txn;
	(void)err;
	forget();
	sent.subject = mx_strdup(mail->subject);
	sent.text = mx_strdup(mail->text);
	sent.html = mail->html ? mx_strdup(mail->html) : NULL;
	sent.to = mx_strdup(to->envelope);
	sent.language = mx_strdup(mail->language);
	*ret_id = 5;
	return 0;
}

int __wrap_sms_add(struct sms *sms, struct store_txn *txn, const char *msisdn, const char *text,
		   uint64_t *ret_id, struct mx_error *err)
{
	(void)sms;
	(void)txn;
	(void)err;
	forget();
	sent.to = mx_strdup(msisdn);
	sent.text = mx_strdup(text);
	*ret_id = 6;
	return 0;
}

int __wrap_suppression_find(const struct identity_call *call, const struct threepid *threepid,
			    struct suppression *ret_suppression)
{
	(void)call;
	(void)ret_suppression;
	return streq(threepid->address, suppressed) ? 0 : -MX_NOT_FOUND;
}

const char *__wrap_req_query(struct req *r, const char *name)
{
	(void)r;
	return streq(name, "brand") ? query_brand : NULL;
}

const char *__wrap_req_header(const struct req *r, const char *name)
{
	(void)r;
	if (streq(name, "Host"))
		return host;
	return streq(name, "Accept-Language") ? accept_language : NULL;
}

void __wrap_reply_owned(struct req *r, const char *content_type, char *bytes, size_t len)
{
	(void)r;
	assert_string_equal(content_type, "text/html; charset=utf-8");
	assert_int_equal(strlen(bytes), len);
	forget();
	page = bytes;
}

void __wrap_reply_header(struct req *r, const char *name, const char *value)
{
	(void)r;
	assert_true(*name && *value);
}

void __wrap_reply_status(struct req *r, int status)
{
	(void)r;
	page_status = status;
}

/* ---- */

static void write_template(const char *name, const char *text)
{
	mx_autofree char *path = mx_strf("%s/%s", directory, name);

	store_fixture_file(path, text);
}

static void make_brand(const char *brand)
{
	mx_autofree char *path = mx_strf("%s/%s", directory, brand);

	assert_int_equal(mkdir(path, 0700), 0);
}

static void load(void)
{
	struct mx_error err = { 0 };

	conf.templates.directory = directory;
	template_set_free(identity.templates);
	identity.templates = NULL;
	if (message_templates_load(&conf, &identity.templates, &err))
		fail_msg("%s", err.text);
}

static int setup(void **state)
{
	(void)state;
	mem = mx_arena_new(0);
	directory = store_fixture_directory();
	identity.conf = &conf;
	identity.mailer = (struct mailer *)&identity; /* only handed on */
	identity.sms = (struct sms *)&identity;
	query_brand = host = accept_language = NULL;
	make_brand("house");
	load();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	forget();
	template_set_free(identity.templates);
	identity.templates = NULL;
	store_fixture_directory_remove(directory);
	mx_arena_free(mem);
	return 0;
}

static void mail(enum message_kind kind, const struct letter_style *style,
		 const struct template_value *items, size_t len)
{
	const struct identity_call call = { .identity = &identity,
					    .mem = mem,
					    .now_ms = INT64_C(1700000000000) };
	const struct template_values values = { items, len };
	struct mx_error err = { 0 };
	uint64_t id = 0;

	if (message_mail(&call, kind, style, "Ann@example.org", &values, &id, &err))
		fail_msg("%s", err.text);
	assert_int_equal(id, 5);
}

static const struct template_value verification[] = {
	{ "link", "https://id.example.org/verify/email?sid=a&token=b" },
	{ "token", "tok3n" },
	{ "ipaddress", "192.0.2.7" },
};

static void a_verification_mail_has_link_and_token_in_both_parts(void **state)
{
	const struct letter_style style = { NULL, "en" };

	(void)state;
	mail(MESSAGE_VERIFICATION, &style, verification, 3);
	assert_string_equal(sent.to, "Ann@example.org");
	assert_string_equal(sent.subject, "Confirm your e-mail address");
	assert_non_null(strstr(sent.text, "\nhttps://id.example.org/verify/email?sid=a&token=b\n"));
	assert_non_null(strstr(sent.text, "tok3n"));
	assert_non_null(strstr(sent.text, "192.0.2.7"));
	assert_non_null(strstr(sent.html, "href=\"https://id.example.org/verify/email?sid=a&amp;"));
	assert_non_null(strstr(sent.html, "<title>Confirm your e-mail address</title>"));
	assert_non_null(strstr(sent.html, "<html lang=\"en\">"));
}

static void nothing_is_written_to_whom_it_must_not_be(void **state)
{
	const struct identity_call call = { .identity = &identity, .mem = mem };
	const struct template_values values = { verification, 3 };
	const struct letter_style style = { NULL, "en" };
	struct mx_error err = { 0 };
	uint64_t id;

	(void)state;
	forget();
	suppressed = "ann@example.org";
	assert_int_equal(message_mail(&call, MESSAGE_VERIFICATION, &style, "Ann@Example.org",
				      &values, &id, &err),
			 -MX_EMAIL_SEND_ERROR);
	assert_string_equal(err.text, mx_errc(MX_EMAIL_SEND_ERROR)->text);
	suppressed = "447700900001";
	assert_int_equal(message_sms(&call, "447700900001", &style, "123456", &id, &err),
			 -MX_SEND_ERROR);
	assert_string_equal(err.text, mx_errc(MX_SEND_ERROR)->text);
	assert_null(sent.to);
	suppressed = NULL;
}

static void assert_is_our_own(const char *html)
{
	static const char *const foreign[] = { "matrix.org", "src=", "{{", "{%" };

	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		assert_null(strstr(html, foreign[i]));
}

static void every_kind_exists_in_every_language(void **state)
{
	static const char *const languages[] = { "en", "de", "fr", "es" };
	const struct template_value values[] = { { "link", "https://x.example/" },
						 { "user_id", "@ann:example.org" },
						 { "sender_display_name", "Bob" },
						 { "is_space", "1" } };

	(void)state;
	for (int i = 0; i < 4 * (MESSAGE_TEST + 1); i++) {
		const struct letter_style english = { NULL, "en" };
		const struct letter_style style = { NULL, languages[i % 4] };
		mx_autofree char *text = NULL;

		mail((enum message_kind)(i / 4), &english, values, 4);
		text = mx_strdup(sent.text);
		mail((enum message_kind)(i / 4), &style, values, 4);
		assert_string_equal(sent.language, languages[i % 4]);
		assert_true(strlen(sent.subject) > 0 && strlen(sent.text) > 0);
		assert_true(streq(sent.text, text) == (i % 4 == 0));
		assert_is_our_own(sent.html);
	}
}

static void values_cannot_leave_their_place(void **state)
{
	const struct template_value values[] = {
		{ "sender_display_name", "E\r\nBcc: x@y.example\r\n<b>{{token}}</b>%(token)s" },
		{ "link", "https://x.example/\"onclick=\"x" },
		{ "token", "s3cret" },
		{ "to", "other@example.org" },
	};
	const struct letter_style style = { NULL, "en" };

	(void)state;
	mail(MESSAGE_INVITE, &style, values, 4);
	assert_null(strpbrk(sent.subject, "\r\n"));
	assert_null(strstr(sent.subject, "s3cret"));
	assert_null(strstr(sent.html, "<b>"));
	assert_null(strstr(sent.html, "\"onclick"));
	assert_null(strstr(sent.html, "s3cret"));
	assert_string_equal(sent.to, "Ann@example.org");
}

static void a_long_name_does_not_make_a_long_subject(void **state)
{
	char name[10001];
	const struct template_value value = { "sender_display_name", name };
	const struct letter_style style = { NULL, "en" };

	(void)state;
	for (size_t i = 0; i + 3 < sizeof(name); i += 3)
		memcpy(name + i, "\u20ac", 3);
	name[9999] = '\0';
	mail(MESSAGE_INVITE, &style, &value, 1);
	assert_int_equal(strlen(sent.subject), 198);
}

static void a_brand_replaces_what_it_has(void **state)
{
	const struct letter_style style = { "acme", "de" };

	(void)state;
	make_brand("acme");
	write_template("acme/verification.subject", "Acme: {{ token }}\n");
	write_template("acme/mail_foot.html", "<p>Acme</p></main></body></html>\n");
	load();
	mail(MESSAGE_VERIFICATION, &style, verification, 3);
	assert_string_equal(sent.subject, "Acme: tok3n");
	assert_non_null(strstr(sent.html, "<p>Acme</p>"));
	assert_non_null(strstr(sent.text, "24 Stunden"));
}

static void an_older_directory_of_whole_messages_is_read(void **state)
{
	const struct letter_style style = { "old", "en" };

	(void)state;
	make_brand("old");
	write_template("old/verification_template.eml.j2",
		       "Date: {{ date|safe }}\nFrom: {{ from|safe }}\nTo: {{ to|safe }}\n"
		       "Message-ID: {{ messageid|safe }}\nSubject: Old style\nMIME-Version: 1.0\n"
		       "Content-Type: multipart/alternative;\n"
		       "  boundary=\"{{ multipart_boundary|safe }}\"\n\n"
		       "--{{ multipart_boundary|safe }}\nContent-Type: text/plain\n\n"
		       "Code {{ token }}, from {{ ipaddress }}: {{ link|safe }}\n"
		       "--{{ multipart_boundary|safe }}\nContent-Type: text/html\n\n"
		       "<p>{{ link }}</p>\n--{{ multipart_boundary|safe }}--\n");
	load();
	mail(MESSAGE_VERIFICATION, &style, verification, 3);
	assert_string_equal(sent.subject, "Old style");
	assert_string_equal(sent.text, "Code tok3n, from 192.0.2.7: "
				       "https://id.example.org/verify/email?sid=a&token=b\n");
	assert_string_equal(sent.html,
			    "<p>https://id.example.org/verify/email?sid=a&amp;token=b</p>\n");
}

static void a_whole_message_may_ask_for_the_usual_subject(void **state)
{
	const struct template_value sender = { "sender_display_name", "Bob" };
	const struct letter_style style = { "old", "en" };

	(void)state;
	make_brand("old");
	write_template("old/invite_template.eml.j2",
		       "Subject: {{ subject_header_value|safe }}\n\nHello\n");
	load();
	mail(MESSAGE_INVITE, &style, &sender, 1);
	assert_non_null(strstr(sent.subject, "Bob"));
	assert_string_equal(sent.text, "Hello\n");
}

static void without_a_relay_no_mail_is_promised(void **state)
{
	const struct identity_call call = { .identity = &identity, .mem = mem };
	const struct template_values none = { NULL, 0 };
	const struct letter_style style = { NULL, "en" };
	uint64_t id;

	(void)state;
	identity.mailer = NULL;
	assert_int_equal(message_mail(&call, MESSAGE_TEST, &style, "a@b.org", &none, &id, NULL),
			 -MX_EMAIL_SEND_ERROR);
}

static void a_text_message_is_one_line_with_the_token(void **state)
{
	const struct identity_call call = { .identity = &identity, .mem = mem };
	const struct letter_style style = { NULL, "de" };
	uint64_t id = 0;

	(void)state;
	assert_int_equal(message_sms(&call, "447700900001", &style, "012345", &id, NULL), 0);
	assert_int_equal(id, 6);
	assert_string_equal(sent.to, "447700900001");
	assert_string_equal(sent.text, "012345 ist dein Code f\u00fcr id.example.org. "
				       "Gib ihn niemandem weiter.");
}

static void a_brand_is_never_a_path(void **state)
{
	struct req r = { .mem = mem };

	(void)state;
	query_brand = "../../etc";
	assert_null(message_style_of(&identity, &r).brand);
	query_brand = "house";
	assert_string_equal(message_style_of(&identity, &r).brand, "house");
}

static void a_host_may_have_its_own_brand(void **state)
{
	struct req r = { .mem = mem };

	(void)state;
	make_brand("id.acme.example");
	load();
	host = "id.acme.example:8443";
	assert_string_equal(message_style_of(&identity, &r).brand, "id.acme.example");
	query_brand = "house";
	assert_string_equal(message_style_of(&identity, &r).brand, "house");
}

static void show(const char *file, const struct template_value *items, size_t len)
{
	const struct template_values values = { items, len };
	struct req r = { .mem = mem };

	assert_int_equal(message_page(&identity, &r, file, &values, 200), 0);
	assert_int_equal(page_status, 200);
}

static void a_page_speaks_the_readers_language(void **state)
{
	const struct template_value address = { "address", "<ann>@example.org" };

	(void)state;
	accept_language = "pt, fr-CH;q=0.9, en;q=0.8";
	show("verified.html", &address, 1);
	assert_non_null(strstr(page, "<html lang=\"fr\">"));
	assert_non_null(strstr(page, "<title>Adresse confirm\u00e9e</title>"));
	assert_non_null(strstr(page, "&lt;ann&gt;@example.org"));
	assert_null(strstr(page, "://"));
}

static void a_whole_document_of_the_operator_is_shown_as_it_is(void **state)
{
	const struct template_value success = { "success", "1" };

	(void)state;
	write_template("house/verified.html", "<!DOCTYPE html><p>{{ success }}</p>");
	load();
	show("verified.html", &success, 1);
	assert_string_equal(page, "<!DOCTYPE html><p>1</p>");
}

static void an_older_page_follows_the_button(void **state)
{
	const struct template_value message = { "message", "It is <over>" };

	(void)state;
	write_template("house/verify_response_template.html", "<p>%(message)s</p> 100%%");
	load();
	show("failed.html", &message, 1);
	assert_string_equal(page, "<p>It is &lt;over&gt;</p> 100%");
	show("verified.html", NULL, 0);
	assert_string_equal(page, "<p>Address confirmed</p> 100%");
	show("verify.html", NULL, 0);
	assert_non_null(strstr(page, "<button"));
}

#define test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_verification_mail_has_link_and_token_in_both_parts),
		test(nothing_is_written_to_whom_it_must_not_be),
		test(every_kind_exists_in_every_language),
		test(values_cannot_leave_their_place),
		test(a_long_name_does_not_make_a_long_subject),
		test(a_brand_replaces_what_it_has),
		test(an_older_directory_of_whole_messages_is_read),
		test(a_whole_message_may_ask_for_the_usual_subject),
		test(without_a_relay_no_mail_is_promised),
		test(a_text_message_is_one_line_with_the_token),
		test(a_brand_is_never_a_path),
		test(a_host_may_have_its_own_brand),
		test(a_page_speaks_the_readers_language),
		test(an_older_page_follows_the_button),
		test(a_whole_document_of_the_operator_is_shown_as_it_is),
	};
	return cmocka_run_group_tests_name("identity/message", tests, NULL, NULL);
}
