#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/mail/address.h"
#include "shared/mail/letter.h"

/* Whole messages know it by another name. */
static int add_subject(struct letter *letter)
{
	mx_autofree char *file = mx_strf("%s.subject", letter->name);
	mx_str_auto rendered = { 0 };
	int rc = letter_render(letter, file, &rendered);
	const char *subject;

	if (rc)
		return rc;
	letter_tidy(&rendered);
	subject = mx_arena_strdup(letter->mem, rendered.ptr ? rendered.ptr : "");
	letter_add(letter, "subject", subject);
	letter_add(letter, "subject_header_value", subject);
	return 0;
}

/* -MX_NOT_FOUND unless the operator has a whole message of the older kinds. */
static int read_whole(const struct letter *letter, struct eml *ret_eml)
{
	static const char *const ends[] = { "eml.j2", "eml" };

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		mx_autofree char *file = mx_strf("%s_template.%s", letter->name, ends[i]);
		mx_str_auto message = { 0 };
		int rc = letter_render(letter, file, &message);

		if (rc == 0)
			eml_read(mx_str_slice(&message), letter->boundary, ret_eml);
		if (rc != -MX_NOT_FOUND)
			return rc;
	}
	return -MX_NOT_FOUND;
}

static int read_files(struct letter *letter, struct eml *ret_eml)
{
	mx_autofree char *text_file = mx_strf("%s.txt", letter->name);
	mx_autofree char *html_file = mx_strf("%s.html", letter->name);
	mx_str_auto text = { 0 };
	mx_str_auto html = { 0 };
	int rc = letter_render(letter, text_file, &text);

	if (rc == 0)
		rc = letter_html(letter, html_file, "mail", &html);
	if (rc)
		return rc;
	*ret_eml = (struct eml){ mx_strdup(letter_value(letter, "subject")), mx_str_steal(&text),
				 mx_str_steal(&html) };
	return 0;
}

static void tidy_subject(struct eml *eml)
{
	struct mx_str subject = { 0 };

	mx_str_add_text(&subject, eml->subject);
	letter_tidy(&subject);
	mx_free(eml->subject);
	eml->subject = mx_str_steal(&subject);
}

/* Borrows what the letter and eml have. */
static struct mail mail_of(const struct letter *letter, const struct eml *eml)
{
	return (struct mail){
		.subject = eml->subject,
		.text = eml->text ? eml->text : "",
		.html = eml->html,
		.list_unsubscribe = letter_value(letter, "list_unsubscribe"),
		.language = letter_value(letter, "language"),
	};
}

static int write_parts(struct letter *letter, const struct template_values *values,
		       const struct mail_address *to, struct eml *ret_eml)
{
	int rc;

	letter_add(letter, "to", to->envelope);
	letter_begin(letter, values);
	rc = add_subject(letter);
	if (rc == 0)
		rc = read_whole(letter, ret_eml);
	if (rc == -MX_NOT_FOUND)
		rc = read_files(letter, ret_eml);
	if (rc == 0)
		tidy_subject(ret_eml);
	return rc;
}

int letter_write(struct letter *letter, const struct template_values *values,
		 const struct mail_address *to, struct letter_mail *ret_mail)
{
	struct eml eml = { 0 };
	int rc = write_parts(letter, values, to, &eml);

	if (rc) {
		eml_done(&eml);
		return rc;
	}
	*ret_mail = (struct letter_mail){ eml, mail_of(letter, &eml) };
	return 0;
}
