#include "shared/threepid/mailed.h"

#include "shared/core/arena.h"
#include "shared/threepid/validation.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

enum { NETWORK, ASKER, ADDRESS, DAY };

static const struct mailed_budgets kinds = { NETWORK, ASKER, ADDRESS, DAY };

static struct validation_request asked_by(const char *account)
{
	return (struct validation_request){
		.session.threepid = { "email", "ann@example.org" },
		.account = account,
		.client = "192.0.2.7",
	};
}

static void expect_part(const struct allowance *allowance, unsigned i, const char *name)
{
	assert_int_equal(allowance->parts[i].kind, i);
	assert_string_equal(allowance->parts[i].name, name);
}

static void a_mail_takes_a_place_in_every_budget(void **state)
{
	const struct validation_request request = asked_by("@ann:here");
	struct allowance allowance = { .len = 3 };

	(void)state;
	mailed_allowance(&request, &kinds, &allowance);
	assert_int_equal(allowance.len, 4);
	expect_part(&allowance, NETWORK, allowance.network);
	expect_part(&allowance, ASKER, "@ann:here");
	expect_part(&allowance, ADDRESS, "ann@example.org");
	expect_part(&allowance, DAY, "ann@example.org");
}

static void without_an_account_the_network_asks(void **state)
{
	const struct validation_request request = asked_by(NULL);
	struct allowance allowance;

	(void)state;
	mailed_allowance(&request, &kinds, &allowance);
	expect_part(&allowance, ASKER, allowance.network);
}

static void the_link_has_what_its_page_needs(void **state)
{
	mx_arena_auto *mem = mx_arena_new(0);
	const struct claim claim = { .id = "s1", .client_secret = "a=b", .token = "t&1" };
	struct validation_request request = asked_by(NULL);
	const struct validation_send what = { &request, &claim };

	(void)state;
	assert_string_equal(mailed_link("https://id/verify", &what, mem),
			    "https://id/verify?sid=s1&client_secret=a%3Db&token=t%261");
	request.style.brand = "cats";
	assert_string_equal(mailed_link("https://id/verify", &what, mem),
			    "https://id/verify?sid=s1&client_secret=a%3Db&token=t%261&brand=cats");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mail_takes_a_place_in_every_budget),
		cmocka_unit_test(without_an_account_the_network_asks),
		cmocka_unit_test(the_link_has_what_its_page_needs),
	};

	return cmocka_run_group_tests_name("threepid/mailed", tests, NULL, NULL);
}
