#include "homeserver/ending/idle_guests.h"

#include "homeserver/account/account.h"
#include "homeserver/account/device.h"
#include "homeserver/registration/register.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/time.h"
#include "tests/support/hs_fixture.h"

#define GUEST "@guest:" HS_FIXTURE_SERVER
#define DAYS  30
#define LATER (HS_FIXTURE_NOW + (DAYS + 1) * MX_DAY_MS)

static void make_account(struct hs_fixture *f, const char *user, unsigned flags, int64_t seen_ms)
{
	const struct account account = { .user = user,
					 .flags = flags,
					 .created_ms = HS_FIXTURE_NOW };
	const struct device device = { .user = user, .id = "PHONE", .seen_ms = seen_ms };

	hs_fixture_write(f);
	assert_int_equal(register_account(&f->call, &account, NULL), 0);
	device_put(&f->call, &device);
	hs_fixture_write(f);
	f->conf.registration.guest_days = DAYS;
}

static bool is_there(struct hs_fixture *f, const char *user)
{
	hs_fixture_read(f);
	return !(account_flags(&f->call, mx_slice(user)) & ACCOUNT_DEACTIVATED);
}

static void a_guest_who_comes_no_more_is_one_no_more(void **state)
{
	struct hs_fixture *f = *state;

	make_account(f, GUEST, ACCOUNT_GUEST, HS_FIXTURE_NOW);
	assert_int_equal(idle_guests_end(&f->hs, HS_FIXTURE_NOW + DAYS * MX_DAY_MS), 0);
	assert_true(is_there(f, GUEST));
	assert_int_equal(idle_guests_end(&f->hs, LATER), 1);
	assert_false(is_there(f, GUEST));
	assert_int_equal(idle_guests_end(&f->hs, LATER), 0);
}

static void who_was_seen_since_stays(void **state)
{
	struct hs_fixture *f = *state;

	make_account(f, GUEST, ACCOUNT_GUEST, LATER - MX_DAY_MS);
	assert_int_equal(idle_guests_end(&f->hs, LATER), 0);
	assert_true(is_there(f, GUEST));
}

static void who_is_no_guest_stays(void **state)
{
	struct hs_fixture *f = *state;

	make_account(f, "@ann:" HS_FIXTURE_SERVER, 0, HS_FIXTURE_NOW);
	assert_int_equal(idle_guests_end(&f->hs, LATER), 0);
	assert_true(is_there(f, "@ann:" HS_FIXTURE_SERVER));
}

static void nobody_goes_unless_that_is_wanted(void **state)
{
	struct hs_fixture *f = *state;

	make_account(f, GUEST, ACCOUNT_GUEST, HS_FIXTURE_NOW);
	f->conf.registration.guest_days = 0;
	assert_int_equal(idle_guests_end(&f->hs, LATER), 0);
	assert_true(is_there(f, GUEST));
}

static void there_may_be_more_guests_than_a_page(void **state)
{
	struct hs_fixture *f = *state;
	enum { MANY = 1200 };

	for (int i = 0; i < MANY; i++) {
		const struct account account = {
			.user = mx_arena_strf(f->call.mem, "@g%04d:" HS_FIXTURE_SERVER, i),
			.flags = ACCOUNT_GUEST,
			.created_ms = HS_FIXTURE_NOW,
		};

		assert_int_equal(register_account(&f->call, &account, NULL), 0);
	}
	hs_fixture_write(f);
	f->conf.registration.guest_days = DAYS;
	assert_int_equal(idle_guests_end(&f->hs, LATER), MANY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hs_test(a_guest_who_comes_no_more_is_one_no_more),
		hs_test(who_was_seen_since_stays),
		hs_test(who_is_no_guest_stays),
		hs_test(nobody_goes_unless_that_is_wanted),
		hs_test(there_may_be_more_guests_than_a_page),
	};
	return cmocka_run_group_tests_name("account/idle_guests", tests, NULL, NULL);
}
