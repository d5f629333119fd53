#include "tests/support/validate_fixture.h"

#include "identity/identity.h"
#include "identity/identity_conf.h"
#include "identity/message/templates.h"
#include "identity/routes.h"
#include "identity/sms/sms.h"
#include "identity/suppress/suppression.h"
#include "shared/core/arena.h"
#include "shared/mail/address.h"
#include "shared/mail/mailer.h"
#include "shared/mail/template.h"
#include "shared/threepid/allowance.h"
#include "shared/threepid/claim.h"

static const struct store_table *const tables[] = { &claim_table, &claim_address_table,
						    &claim_end_table, &suppression_table, NULL };

struct validate_world world;
static char *next_hosts[] = { (char *)"ok.example" };
static struct identity_conf conf = {
	.server_name = (char *)"id.example.org",
	.public_base_url = (char *)"https://id.example.org",
	.templates.language = (char *)"en",
	.validation = { &world.landing, &world.plain_http, next_hosts, 1 },
};
static struct identity identity = { .conf = &conf };

/* ---- played */

int __wrap_mailer_add(struct mailer *mailer, struct store_txn *txn, const struct mail_address *to,
		      const struct mail *mail, uint64_t *ret_id, struct mx_error *err);
int __wrap_sms_add(struct sms *sms, struct store_txn *txn, const char *msisdn, const char *text,
		   uint64_t *ret_id, struct mx_error *err);
int __wrap_sms_may_send(struct sms *sms, const char *msisdn, struct mx_error *err);
int __wrap_budgets_take(struct budgets *budgets, unsigned kind, const char *name, double amount,
			int64_t *ret_retry_ms, struct mx_error *err);
void __wrap_budgets_give(struct budgets *budgets, unsigned kind, const char *name, double amount);
void __wrap_budgets_prefix(const char *address, char ret_prefix[64]);
void __wrap_outbox_look(struct outbox *outbox, uint64_t id, struct outbox_report *ret_report);
void __wrap_outbox_watch(struct outbox *outbox, uint64_t id, struct req_wake *wake);
const char *__wrap_req_query(struct req *r, const char *name);
const char *__wrap_req_header(const struct req *r, const char *name);
struct req_wake *__wrap_req_wake_new(struct req *r, int64_t timeout_ms);
void __wrap_req_wake_unref(struct req_wake *wake);
void __wrap_reply_owned(struct req *r, const char *content_type, char *bytes, size_t len);
void __wrap_reply_header(struct req *r, const char *name, const char *value);
void __wrap_reply_status(struct req *r, int code);
void __wrap_reply_json(struct req *r, json_t *json);
void __wrap_reply_redirect(struct req *r, const char *location);
struct identity_call __wrap_call_of(struct req *r);

int __wrap_mailer_add(struct mailer *mailer, struct store_txn *txn, const struct mail_address *to,
		      const struct mail *mail, uint64_t *ret_id, struct mx_error *err)
{
	(void)mailer;
	(void)txn;
	(void)err;
	mx_free(world.mail_text);
	mx_free(world.mail_to);
	world.mail_text = mx_strdup(mail->text);
	world.mail_to = mx_strdup(to->envelope);
	*ret_id = 100 + ++world.mails;
	return 0;
}

int __wrap_sms_add(struct sms *sms, struct store_txn *txn, const char *msisdn, const char *text,
		   uint64_t *ret_id, struct mx_error *err)
{
	(void)sms;
	(void)txn;
	(void)err;
	mx_free(world.mail_text);
	mx_free(world.mail_to);
	world.mail_text = mx_strdup(text);
	world.mail_to = mx_strdup(msisdn);
	*ret_id = 200 + ++world.texts;
	return 0;
}

int __wrap_sms_may_send(struct sms *sms, const char *msisdn, struct mx_error *err)
{
	(void)sms;
	(void)msisdn;
	(void)err;
	return world.may_send;
}

int __wrap_budgets_take(struct budgets *budgets, unsigned kind, const char *name, double amount,
			int64_t *ret_retry_ms, struct mx_error *err)
{
	(void)budgets;
	(void)kind;
	assert_non_null(name);
	assert_true(amount > 0);
	if (world.budget_left-- > 0)
		return 0;
	*ret_retry_ms = 5000;
	return mx_fail(err, MX_LIMIT_EXCEEDED, "Too many");
}

void __wrap_budgets_give(struct budgets *budgets, unsigned kind, const char *name, double amount)
{
	(void)budgets;
	(void)kind;
	(void)name;
	(void)amount;
	world.given++;
}

void __wrap_budgets_prefix(const char *address, char ret_prefix[64])
{
	assert_string_equal(address, "192.0.2.7");
	memcpy(ret_prefix, "192.0.2.0/24", 13);
}

void __wrap_outbox_look(struct outbox *outbox, uint64_t id, struct outbox_report *ret_report)
{
	(void)outbox;
	(void)id;
	*ret_report = world.outbox_says;
}

void __wrap_outbox_watch(struct outbox *outbox, uint64_t id, struct req_wake *wake)
{
	(void)outbox;
	assert_true(id > 100);
	assert_non_null(wake);
}

const char *__wrap_req_query(struct req *r, const char *name)
{
	(void)r;
	return jstr(world.query, name);
}

const char *__wrap_req_header(const struct req *r, const char *name)
{
	(void)r;
	return streq(name, "Sec-Purpose") ? world.purpose : NULL;
}

struct req_wake *__wrap_req_wake_new(struct req *r, int64_t timeout_ms)
{
	assert_true(timeout_ms > 0);
	return (struct req_wake *)r;
}

void __wrap_req_wake_unref(struct req_wake *wake)
{
	assert_non_null(wake);
}

void __wrap_reply_owned(struct req *r, const char *content_type, char *bytes, size_t len)
{
	(void)r;
	(void)content_type;
	(void)len;
	mx_free(world.page);
	world.page = bytes;
}

void __wrap_reply_header(struct req *r, const char *name, const char *value)
{
	(void)r;
	(void)name;
	(void)value;
}

void __wrap_reply_status(struct req *r, int code)
{
	(void)r;
	world.status = code;
}

void __wrap_reply_json(struct req *r, json_t *json)
{
	(void)r;
	json_decref(world.reply);
	world.reply = json;
}

void __wrap_reply_redirect(struct req *r, const char *location)
{
	(void)r;
	mx_free(world.redirect);
	world.redirect = mx_strdup(location);
}

struct identity_call __wrap_call_of(struct req *r)
{
	return (struct identity_call){
		.identity = &identity, .view = r->view, .mem = r->mem, .now_ms = mx_now_ms()
	};
}

/* ---- calling */

static void forget_answer(void)
{
	json_decref(world.reply);
	mx_free(world.page);
	mx_free(world.redirect);
	world.reply = NULL;
	world.page = world.redirect = NULL;
	world.status = 0;
}

const struct route *find_route(enum http_method method, const char *path)
{
	const struct route *const all[] = { email_routes, email_v1_routes, msisdn_routes,
					    msisdn_v1_routes, confirm_routes };

	for (size_t i = 0; i < 5; i++)
		for (const struct route *route = all[i]; route->path; route++)
			if (route->method == method && mx_ends_with(route->path, path))
				return route;
	fail_msg("no route %s", path);
	return NULL;
}

/* One run, of a world.request that is new unless it is parked. */
int run_route(const struct route *route)
{
	int rc;

	mx_arena_reset(world.request.mem);
	if (route->txn == TXN_READ)
		world.request.view = store_view_begin(identity.store);
	world.request.route = route;
	rc = route->handler(&world.request);
	if (world.request.view)
		store_view_end(world.request.view);
	world.request.view = NULL;
	return rc;
}

void end_request(void)
{
	mx_free(world.request.kept);
	json_decref(world.request.body);
	world.request = (struct req){ .mem = world.request.mem,
				      .app = &identity,
				      .client = "192.0.2.7" };
}

int post(const char *path, json_t *body)
{
	int rc;

	forget_answer();
	world.request.body = body;
	rc = run_route(find_route(POST, path));
	end_request();
	return rc;
}

/* Takes the world.query. */
int get(const char *path, json_t *pairs)
{
	int rc;

	forget_answer();
	json_decref(world.query);
	world.query = pairs;
	rc = run_route(find_route(GET, path));
	end_request();
	return rc;
}

int validate_setup(void **state)
{
	(void)state;
	identity.store = store_fixture_open(tables);
	identity.mailer = (struct mailer *)&identity; /* only handed on */
	identity.sms = (struct sms *)&identity;
	assert_int_equal(message_templates_load(&conf, &identity.templates, NULL), 0);
	world.request.mem = mx_arena_new(0);
	end_request();
	world.mails = world.texts = world.given = 0;
	world.budget_left = 1000;
	world.may_send = 0;
	world.purpose = NULL;
	world.landing = true;
	world.outbox_says = (struct outbox_report){ .stage = OUTBOX_ENDED,
						    .result = OUTBOX_SENT,
						    .attempts = 1 };
	mx_time_fake(BORN_MS, 0);
	return 0;
}

int validate_teardown(void **state)
{
	(void)state;
	forget_answer();
	json_decref(world.query);
	world.query = NULL;
	mx_free(world.mail_text);
	mx_free(world.mail_to);
	world.mail_text = world.mail_to = NULL;
	mx_arena_free(world.request.mem);
	template_set_free(identity.templates);
	store_close(identity.store);
	mx_time_fake(-1, -1);
	return 0;
}
