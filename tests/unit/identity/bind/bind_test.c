#include "identity/bind/bind.h"

#include "identity/invite/invite.h"
#include "identity/message/message.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/threepid/claim.h"
#include "tests/support/binding_fixture.h"

/* wrap: invite_bind message_mail */

/* What invites and the owner were told. */
static struct {
	int invites, mails, fail_mail;
	enum message_kind kind;
	char to[64], user[64], old_user[64];
} told;

int __wrap_invite_bind(const struct identity_call *call, const struct threepid *threepid,
		       const char *user_id, struct mx_slice signed_association,
		       struct mx_error *err);

int __wrap_invite_bind(const struct identity_call *call, const struct threepid *threepid,
		       const char *user_id, struct mx_slice signed_association,
		       struct mx_error *err)
{
	assert_non_null(call->txn);
	assert_non_null(threepid->address);
	assert_true(memmem(signed_association.ptr, signed_association.len, user_id,
			   strlen(user_id)) != NULL);
	(void)err;
	told.invites++;
	return 0;
}

int __wrap_message_mail(const struct identity_call *call, enum message_kind kind,
			const struct letter_style *style, const char *to,
			const struct template_values *values, uint64_t *ret_id,
			struct mx_error *err);

int __wrap_message_mail(const struct identity_call *call, enum message_kind kind,
			const struct letter_style *style, const char *to,
			const struct template_values *values, uint64_t *ret_id,
			struct mx_error *err)
{
	assert_non_null(call->txn);
	assert_non_null(style);
	if (told.fail_mail)
		return mx_fail(err, MX_NOT_FOUND, "no such template");
	told.mails++;
	told.kind = kind;
	snprintf(told.to, sizeof(told.to), "%s", to);
	assert_string_equal(values->items[0].name, "user_id");
	snprintf(told.user, sizeof(told.user), "%s", values->items[0].value);
	assert_string_equal(values->items[1].name, "old_user_id");
	snprintf(told.old_user, sizeof(told.old_user), "%s",
		 values->items[1].value ? values->items[1].value : "");
	*ret_id = 1;
	return 0;
}

static bool tell_owner;
static char relay[] = "mail.example.org";

static struct binding_fixture *begin(void **state)
{
	struct binding_fixture *f = *state;

	memset(&told, 0, sizeof(told));
	tell_owner = true;
	f->conf.binding.tell_owner = &tell_owner;
	f->identity.mailer = (struct mailer *)relay; /* message_mail() is played */
	return f;
}

static const struct claim session = { .threepid = { "email", "alice@example.com" } };

static void bind_user(struct binding_fixture *f, const char *user_id)
{
	struct binding binding;

	assert_int_equal(bind_session(&f->call, &session, user_id, NULL, &binding, NULL), 0);
	assert_string_equal(binding.user_id, user_id);
	binding_fixture_write(f);
}

static void assert_holder(struct binding_fixture *f, const char *user_id)
{
	struct binding binding;
	int rc = binding_find(&f->call, &session.threepid, &binding);

	assert_int_equal(rc, user_id ? 0 : -MX_NOT_FOUND);
	if (user_id)
		assert_string_equal(binding.user_id, user_id);
}

static void a_validated_address_is_bound_and_its_owner_told(void **state)
{
	struct binding_fixture *f = begin(state);

	bind_user(f, "@alice:example.org");
	assert_holder(f, "@alice:example.org");
	assert_int_equal(told.invites, 1);
	assert_int_equal(told.mails, 1);
	assert_int_equal(told.kind, MESSAGE_BOUND);
	assert_string_equal(told.to, "alice@example.com");
	assert_string_equal(told.user, "@alice:example.org");
}

static void the_owner_hears_that_the_address_went_to_somebody_else(void **state)
{
	struct binding_fixture *f = begin(state);

	bind_user(f, "@alice:example.org");
	bind_user(f, "@thief:example.org");
	assert_holder(f, "@thief:example.org");
	assert_int_equal(told.kind, MESSAGE_REBOUND);
	assert_string_equal(told.user, "@thief:example.org");
	assert_string_equal(told.old_user, "@alice:example.org");
}

static void binding_again_is_no_news(void **state)
{
	struct binding_fixture *f = begin(state);

	bind_user(f, "@alice:example.org");
	bind_user(f, "@alice:example.org");
	assert_int_equal(told.mails, 1);
	assert_int_equal(told.invites, 2);
}

static void an_operator_may_switch_notices_off(void **state)
{
	struct binding_fixture *f = begin(state);

	tell_owner = false;
	bind_user(f, "@alice:example.org");
	tell_owner = true;
	f->identity.mailer = NULL;
	bind_user(f, "@bob:example.org");
	assert_int_equal(told.mails, 0);
}

static void phone_numbers_get_no_notices(void **state)
{
	struct binding_fixture *f = begin(state);
	const struct threepid number = { "msisdn", "447700900001" };
	struct binding binding;

	assert_int_equal(bind_directly(&f->call, &number, "@alice:example.org", &binding, NULL), 0);
	assert_int_equal(told.mails, 0);
	assert_int_equal(told.invites, 1);
}

static void a_notice_that_cannot_be_written_does_not_stop_a_bind(void **state)
{
	struct binding_fixture *f = begin(state);

	told.fail_mail = 1;
	bind_user(f, "@alice:example.org");
	assert_holder(f, "@alice:example.org");
}

static void only_user_ids_are_bound(void **state)
{
	struct binding_fixture *f = begin(state);
	struct binding binding;

	assert_int_equal(bind_session(&f->call, &session, "alice", NULL, &binding, NULL),
			 -MX_INVALID_PARAM);
	assert_holder(f, NULL);
	assert_int_equal(told.invites, 0);
}

static void unbinding_removes_and_tells(void **state)
{
	struct binding_fixture *f = begin(state);

	bind_user(f, "@alice:example.org");
	assert_int_equal(unbind(&f->call, &session.threepid, "@alice:example.org", NULL, NULL), 0);
	assert_int_equal(told.kind, MESSAGE_UNBOUND);
	binding_fixture_write(f);
	assert_holder(f, NULL);
	told.mails = 0;
	assert_int_equal(unbind(&f->call, &session.threepid, "@alice:example.org", NULL, NULL), 0);
	assert_int_equal(told.mails, 0);
}

static void somebody_elses_binding_stays(void **state)
{
	struct binding_fixture *f = begin(state);

	bind_user(f, "@alice:example.org");
	assert_int_equal(unbind(&f->call, &session.threepid, "@bob:example.org", NULL, NULL), 0);
	binding_fixture_write(f);
	assert_holder(f, "@alice:example.org");
	assert_int_equal(told.mails, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		binding_test(a_validated_address_is_bound_and_its_owner_told),
		binding_test(the_owner_hears_that_the_address_went_to_somebody_else),
		binding_test(binding_again_is_no_news),
		binding_test(an_operator_may_switch_notices_off),
		binding_test(phone_numbers_get_no_notices),
		binding_test(a_notice_that_cannot_be_written_does_not_stop_a_bind),
		binding_test(only_user_ids_are_bound),
		binding_test(unbinding_removes_and_tells),
		binding_test(somebody_elses_binding_stays),
	};

	return cmocka_run_group_tests_name("bind", tests, NULL, NULL);
}
