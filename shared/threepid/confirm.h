/* The token comes back: from a client as JSON, or from a person, who gets a page. */
#pragma once

struct req;
struct template_values;
struct validator;

struct confirm_desk {
	const struct validator *validator;
	const char *page_url; /* where a mail leads to, and its form */
	const char *brand; /* of the request; may be NULL */
	/* letter_page() in the daemon's way. */
	int (*page)(struct req *r, const char *file, const struct template_values *values,
		    int status);
};

/* By a client: POST submitToken. */
int confirm_json(struct req *r, const struct confirm_desk *desk, const char *medium);

/* GET submitToken, the link of older mails and of operators who want no page between: validates
 * at once, unless it is a HEAD or a prefetch. */
int confirm_link(struct req *r, const struct confirm_desk *desk, const char *medium);

/* The page with the button (TXN_READ), and what the button sends. */
int confirm_show(struct req *r, const struct confirm_desk *desk);
int confirm_form(struct req *r, const struct confirm_desk *desk);
