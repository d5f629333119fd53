#include "shared/mail/letter_page.h"

#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "shared/http/request.h"
#include "shared/json/json.h"

#define HOST_MAX 255

#define PAGE_POLICY                                                \
	"default-src 'none'; style-src 'self' 'unsafe-inline'; "   \
	"img-src 'self' data:; font-src 'self'; base-uri 'none'; " \
	"frame-ancestors 'none'; form-action 'self' https:"

static const char *brand_of_host(struct template_set *templates, struct req *r)
{
	const char *host = req_header(r, "Host");
	char *name;

	if (!host || strlen(host) > HOST_MAX)
		return NULL;
	name = mx_arena_strdup(r->mem, host);
	name[strcspn(name, ":")] = '\0';
	return template_has_brand(templates, name) ? name : NULL;
}

struct letter_style letter_style_of(struct template_set *templates, struct req *r)
{
	const char *brand = req_query(r, "brand");

	if (!brand && r->body)
		brand = jstr(r->body, "brand");
	if (!brand || !template_has_brand(templates, brand))
		brand = brand_of_host(templates, r);
	return (struct letter_style){
		.brand = brand,
		.language = template_language(templates, req_header(r, "Accept-Language")),
	};
}

/* Links of pages lead anywhere, forms only here and from here on to where a next_link may lead:
 * that is a redirect, and browsers apply form-action to those too. */
static const char *page_policy(const struct letter_page *page, struct mx_arena *mem)
{
	return mx_arena_strf(mem, "%s%s%s", PAGE_POLICY, page->http_links ? " http:" : "",
			     page->policy ? page->policy : "");
}

static void set_headers(struct req *r, const struct letter_page *page)
{
	reply_header(r, "Content-Security-Policy", page_policy(page, r->mem));
	reply_header(r, "Referrer-Policy", "no-referrer");
	reply_header(r, "X-Content-Type-Options", "nosniff");
	reply_header(r, "Cache-Control", "no-store");
	reply_header(r, "Vary", "Accept-Language");
	reply_status(r, page->status);
}

static int add_title(struct letter *letter, const char *file)
{
	mx_autofree char *title_file = mx_strf("%.*s.title", (int)strcspn(file, "."), file);
	mx_str_auto title = { 0 };
	int rc = letter_render(letter, title_file, &title);

	if (rc)
		return rc;
	letter_tidy(&title);
	letter_add(letter, "title", mx_arena_strdup(letter->mem, title.ptr ? title.ptr : ""));
	return 0;
}

/* A whole page of the older kind, for what follows the button; its only value is `message`. */
static int read_old_page(struct letter *letter, const char *file, struct mx_str *out)
{
	if (streq(file, "verify.html"))
		return -MX_NOT_FOUND;
	letter_add(letter, "message", letter_value(letter, "title"));
	return letter_render(letter, "verify_response_template.html", out);
}

int letter_page(const struct letterhead *head, struct req *r, const struct letter_page *page)
{
	const struct letter_style style = letter_style_of(head->templates, r);
	struct letter letter = {
		.head = head,
		.style = &style,
		.mem = r->mem,
		.now_ms = mx_now_ms(),
		.err = &r->err,
	};
	struct mx_str text = { 0 };
	size_t len;
	int rc;

	letter_begin(&letter, &page->values);
	rc = add_title(&letter, page->file);
	if (rc == 0)
		rc = read_old_page(&letter, page->file, &text);
	if (rc == -MX_NOT_FOUND)
		rc = letter_html(&letter, page->file, "page", &text);
	if (rc) {
		mx_str_done(&text);
		return rc;
	}
	len = text.len;
	reply_owned(r, "text/html; charset=utf-8", mx_str_steal(&text), len);
	set_headers(r, page);
	return 0;
}
