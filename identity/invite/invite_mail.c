#include "identity/invite/invite_mail.h"

#include "identity/identity.h"
#include "identity/invite/invite.h"
#include "identity/invite/invite_rules.h"
#include "identity/message/message.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/str.h"
#include "shared/core/url.h"
#include "shared/core/utf8.h"
#include "shared/core/vec.h"
#include "shared/json/json.h"

#include <string.h>

/* Longer names are cut to fewer letters and an ellipsis, as in the mails of other services. */
#define SENDER_MAX 20
#define SENDER_CUT 19
#define ROOM_MAX   30
#define ROOM_CUT   25
#define REST_MAX   500 /* of everything else that the homeserver sends */

#define WEB_CLIENT_KEY "org.matrix.web_client_location"

struct mail_values mx_vec(struct template_value);

struct mailing {
	const struct identity_call *call;
	const struct invite_asking *asking;
	const struct invite *invite;
	struct invite_rules rules;
	struct mail_values values;
};

static void add(struct mailing *mailing, const char *name, const char *value)
{
	mx_vec_push(&mailing->values, (struct template_value){ name, value });
}

/* ---- names that strangers chose */

/* What turns the direction of the text around it: a name must not write the sentence. */
static bool is_override(struct mx_slice letter)
{
	static const char *const overrides[] = {
		"\u202a", "\u202b", "\u202c", "\u202d", "\u202e", "\u2066",
		"\u2067", "\u2068", "\u2069", "\u200e", "\u200f",
	};

	for (size_t i = 0; i < sizeof(overrides) / sizeof(overrides[0]); i++) {
		if (mx_slice_is(letter, overrides[i]))
			return true;
	}
	return false;
}

static bool is_control(struct mx_slice letter)
{
	unsigned char first = (unsigned char)letter.ptr[0];

	return (letter.len == 1 && (first < 0x20 || first == 0x7f)) ||
	       (letter.len == 2 && first == 0xc2 && (unsigned char)letter.ptr[1] < 0xa0);
}

static void clean(const char *name, struct mx_str *out)
{
	struct mx_slice rest = mx_slice(name);

	for (size_t step; (step = mx_utf8_step(rest)) > 0; rest.ptr += step, rest.len -= step) {
		struct mx_slice letter = mx_slice_of(rest.ptr, step);

		if (is_control(letter))
			mx_str_add_char(out, ' ');
		else if (!is_override(letter))
			mx_str_add_slice(out, letter);
	}
}

static const char *cut(const struct mailing *mailing, const char *name, size_t max, size_t shown)
{
	mx_str_auto cleaned = { 0 };
	struct mx_slice all;
	size_t at = 0;

	clean(name, &cleaned);
	all = mx_str_slice(&cleaned);
	if (mx_utf8_count(all) > max) {
		while (shown-- > 0)
			at += mx_utf8_step(mx_slice_of(all.ptr + at, all.len - at));
		cleaned.len = at;
		mx_str_add_text(&cleaned, "…");
	}
	return mx_arena_slice(mailing->call->mem, mx_str_slice(&cleaned)).ptr;
}

static const char *bracketed(const struct mailing *mailing, const char *text)
{
	return text && *text ? mx_arena_strf(mailing->call->mem, "(%s) ", text) : "";
}

static bool is_blank(const char *text)
{
	return text[strspn(text, " ")] == '\0';
}

/* Who has no name is called by the user id, which then need not stand beside it. */
static void add_sender(struct mailing *mailing)
{
	const char *id = mailing->asking->sender;
	const char *name = cut(mailing, jstr_or(mailing->asking->body, "sender_display_name", ""),
			       SENDER_MAX, SENDER_CUT);
	bool has_name = !is_blank(name);

	add(mailing, "sender_display_name", has_name ? name : id);
	add(mailing, "bracketed_verified_sender",
	    bracketed(mailing, has_name && mailing->asking->account ? id : NULL));
}

static void add_names(struct mailing *mailing)
{
	const json_t *body = mailing->asking->body;
	const char *room = cut(mailing, jstr_or(body, "room_name", ""), ROOM_MAX, ROOM_CUT);

	add_sender(mailing);
	add(mailing, "room_name", is_blank(room) ? "" : room);
	add(mailing, "bracketed_room_name", bracketed(mailing, is_blank(room) ? NULL : room));
	add(mailing, "is_space", streq(jstr(body, "room_type"), "m.space") ? "1" : "");
}

/* ---- where it leads */

/* What ends a link in a text would let a homeserver write on behind it. */
static bool is_web_address(const char *text)
{
	if (!text || strlen(text) > REST_MAX ||
	    (!mx_starts_with(text, "https://") && !mx_starts_with(text, "http://")))
		return false;
	for (; *text; text++)
		if (*text <= ' ' || *text >= 0x7f || strchr("\"<>\\", *text))
			return false;
	return true;
}

static const char *web_client_of(const struct mailing *mailing)
{
	const char *asked = jstr(mailing->asking->body, WEB_CLIENT_KEY);

	return is_web_address(asked) ? asked : mailing->rules.web_client;
}

static const char *sign_url(const struct mailing *mailing, const char *private_key)
{
	mx_str_auto url = { 0 };

	mx_str_addf(&url, "%s%s?token=", mailing->rules.base_url, mailing->rules.sign_path);
	mx_url_add(&url, mx_slice(mailing->invite->token));
	mx_str_add_text(&url, "&private_key=");
	mx_url_add(&url, mx_slice(private_key));
	return mx_arena_slice(mailing->call->mem, mx_str_slice(&url)).ptr;
}

static void add_query(const struct mailing *mailing, const char *name, struct mx_str *url)
{
	const char *key = streq(name, "inviter_name") ? "sender_display_name" : name;

	mx_str_addf(url, "&%s=", name);
	mx_url_add(url, mx_slice(cut(mailing, jstr_or(mailing->asking->body, key, ""), REST_MAX,
				     REST_MAX)));
}

static const char *link_to(const struct mailing *mailing, const char *web_client,
			   const char *signing)
{
	static const char *const passed_on[] = { "inviter_name",    "room_name",
						 "room_avatar_url", "guest_access_token",
						 "guest_user_id",   "room_type" };
	mx_str_auto url = { 0 };

	mx_str_addf(&url, "%s/#/room/", web_client);
	mx_url_add(&url, mx_slice(mailing->invite->room_id));
	mx_str_add_text(&url, "?email=");
	mx_url_add(&url, mx_slice(mailing->asking->address));
	if (*signing) {
		mx_str_add_text(&url, "&signurl=");
		mx_url_add(&url, mx_slice(signing));
	}
	for (size_t i = 0; i < sizeof(passed_on) / sizeof(passed_on[0]); i++)
		add_query(mailing, passed_on[i], &url);
	return mx_arena_slice(mailing->call->mem, mx_str_slice(&url)).ptr;
}

static void add_links(struct mailing *mailing, const char *private_key)
{
	const char *web_client = web_client_of(mailing);
	const char *signing = private_key ? sign_url(mailing, private_key) : "";

	add(mailing, "token", mailing->invite->token);
	add(mailing, "ephemeral_private_key", private_key ? private_key : "");
	add(mailing, "signurl", signing);
	add(mailing, "web_client_location", web_client ? web_client : "");
	add(mailing, "link", web_client ? link_to(mailing, web_client, signing) : "");
}

/* ---- everything else that the homeserver sent */

static bool is_there(const struct mail_values *values, const char *name)
{
	for (size_t i = 0; i < values->len; i++) {
		if (streq(values->items[i].name, name))
			return true;
	}
	return false;
}

/* Of the mail itself: no homeserver's business. */
static bool is_reserved(const char *name)
{
	static const char *const names[] = { "list_unsubscribe", "subject",
					     "subject_header_value" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (streq(name, names[i]))
			return true;
	}
	return false;
}

static void add_rest(struct mailing *mailing)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)mailing->asking->body, key, value) {
		if (json_is_string(value) && !is_reserved(key) && !is_there(&mailing->values, key))
			add(mailing, key,
			    cut(mailing, json_string_value(value), REST_MAX, REST_MAX));
	}
}

int invite_mail(const struct identity_call *call, const struct invite_asking *asking,
		const struct invite *invite, const char *private_key, struct mx_error *err)
{
	struct mailing mailing = {
		.call = call,
		.asking = asking,
		.invite = invite,
		.rules = invite_rules_of(call->identity),
	};
	struct template_values values;
	uint64_t id;
	int rc;

	add_names(&mailing);
	add_links(&mailing, private_key);
	add_rest(&mailing);
	values = (struct template_values){ mailing.values.items, mailing.values.len };
	rc = message_mail(call, MESSAGE_INVITE, asking->style, asking->address, &values, &id, err);
	mx_vec_done(&mailing.values);
	return rc;
}

/* ---- once more */

/* Longer ones are no names. */
#define KEPT_MAX 512

static void keep(json_t *kept, const json_t *body, const char *name)
{
	const char *value = jstr(body, name);

	if (value && strlen(value) <= KEPT_MAX)
		json_object_set_new(kept, name, json_string(value));
}

struct mx_slice invite_mail_keep(const struct invite_asking *asking, struct mx_arena *mem)
{
	static const char *const names[] = { "sender_display_name", "sender_avatar_url",
					     "room_name",           "room_alias",
					     "room_avatar_url",     "room_type",
					     WEB_CLIENT_KEY };
	json_auto_t *body = json_object(), *kept = NULL;
	mx_autofree char *text = NULL;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		keep(body, asking->body, names[i]);
	kept = json_pack("{s:s, s:s?, s:s?, s:b, s:O}", "address", asking->address, "brand",
			 asking->style->brand, "language", asking->style->language, "verified",
			 asking->account != NULL, "body", body);
	text = mx_json_text(kept);
	return mx_arena_slice(mem, mx_slice(text));
}

int invite_mail_again(const struct identity_call *call, const struct invite *invite,
		      struct mx_error *err)
{
	/* what invite_mail_keep() wrote; nothing of an invite that was imported */
	json_auto_t *kept = json_loadb(invite->mail.ptr, invite->mail.len, 0, NULL);
	const struct letter_style style = { jstr(kept, "brand"), jstr(kept, "language") };
	const struct invite_asking asking = {
		.address = jstr_or(kept, "address", invite->threepid.address),
		.sender = invite->sender,
		.account = jbool(kept, "verified", false) ? invite->sender : NULL,
		.style = &style,
		.body = jobj(kept, "body"),
	};

	return invite_mail(call, &asking, invite, NULL, err);
}
