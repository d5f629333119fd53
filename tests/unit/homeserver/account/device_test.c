#include "homeserver/account/device.h"

#include "homeserver/account/session.h"
#include "shared/core/error.h"
#include "tests/support/hs_fixture.h"

#define ANN "@ann:here.example"
#define BOB "@bob:here.example"

static struct device open_device(struct hs_fixture *f, const char *user, const char *id)
{
	const struct device wanted = { .user = user, .id = id, .name = "A phone" };
	struct session_pair pair;
	struct device device;

	assert_int_equal(device_open(&f->call, &wanted, &device, NULL), 0);
	device.session = session_begin(&f->call, user, device.id, false, &pair);
	device_put(&f->call, &device);
	return device;
}

static bool has_session(struct hs_fixture *f, const char *id)
{
	enum session_standing standing;
	struct session session;
	char token[SESSION_TOKEN_LEN + 1];

	/* Another secret of a session that is there is over, not unknown. */
	memset(token, 'x', SESSION_TOKEN_LEN);
	memcpy(token, "tra_", 4);
	memcpy(token + 4, id, SESSION_ID_LEN);
	token[4 + SESSION_ID_LEN] = '_';
	token[SESSION_TOKEN_LEN] = '\0';
	assert_int_equal(session_by_access(&f->call, mx_slice(token), &session, &standing), 0);
	return standing == SESSION_OVER;
}

static size_t count(struct hs_fixture *f, const char *user)
{
	struct device_list list;

	assert_int_equal(device_list(&f->call, user, &list), 0);
	return list.len;
}

static void a_device_gets_an_id(void **state)
{
	struct device one = open_device(*state, ANN, NULL), two = open_device(*state, ANN, NULL);

	assert_string_not_equal(one.id, two.id);
	assert_int_equal(device_check_id(one.id, NULL), 0);
	assert_int_equal(count(*state, ANN), 2);
	assert_int_equal(count(*state, BOB), 0);
}

static void what_is_stored_is_read(void **state)
{
	struct hs_fixture *f = *state;
	struct device device = open_device(f, ANN, "PHONE");

	device.seen_ms = 5;
	device.ip = "192.0.2.1";
	device_put(&f->call, &device);
	assert_int_equal(device_load(&f->call, ANN, "PHONE", &device), 0);
	assert_string_equal(device.user, ANN);
	assert_string_equal(device.id, "PHONE");
	assert_string_equal(device.name, "A phone");
	assert_string_equal(device.ip, "192.0.2.1");
	assert_null(device.user_agent);
	assert_int_equal(device.created_ms, HS_FIXTURE_NOW);
	assert_int_equal(device.seen_ms, 5);
}

static void an_id_that_is_there_is_the_same_device_with_another_session(void **state)
{
	struct hs_fixture *f = *state;
	const struct device again = { .user = ANN, .id = "PHONE", .name = "Another name" };
	struct device before = open_device(f, ANN, "PHONE"), device;

	assert_int_equal(device_open(&f->call, &again, &device, NULL), 0);
	assert_string_equal(device.name, "A phone");
	assert_null(device.session);
	assert_false(has_session(f, before.session));
}

static void devices_of_others_with_the_same_id_are_theirs(void **state)
{
	struct hs_fixture *f = *state;
	struct device anns = open_device(f, ANN, "PHONE"), bobs = open_device(f, BOB, "PHONE");

	assert_int_equal(device_delete(&f->call, ANN, "PHONE"), 0);
	assert_false(has_session(f, anns.session));
	assert_true(has_session(f, bobs.session));
}

static void deleting_ends_the_session(void **state)
{
	struct hs_fixture *f = *state;
	struct device device = open_device(f, ANN, "PHONE");

	assert_true(has_session(f, device.session));
	assert_int_equal(device_delete(&f->call, ANN, "PHONE"), 0);
	assert_int_equal(device_delete(&f->call, ANN, "PHONE"), 0);
	assert_false(has_session(f, device.session));
	assert_int_equal(count(f, ANN), 0);
}

static void all_but_one_are_deleted(void **state)
{
	struct hs_fixture *f = *state;
	struct device kept = open_device(f, ANN, "B"), other = open_device(f, ANN, "A");

	open_device(f, ANN, "C");
	assert_int_equal(device_delete_all(&f->call, ANN, "B"), 0);
	assert_int_equal(count(f, ANN), 1);
	assert_true(has_session(f, kept.session));
	assert_false(has_session(f, other.session));
	assert_int_equal(device_delete_all(&f->call, ANN, NULL), 0);
	assert_int_equal(count(f, ANN), 0);
}

static void a_device_is_renamed(void **state)
{
	struct hs_fixture *f = *state;
	struct device device;
	char name[258];

	open_device(f, ANN, "PHONE");
	assert_int_equal(device_rename(&f->call, ANN, "PHONE", "Desk", NULL), 0);
	assert_int_equal(device_rename(&f->call, ANN, "PHONE", NULL, NULL), 0);
	assert_int_equal(device_load(&f->call, ANN, "PHONE", &device), 0);
	assert_string_equal(device.name, "Desk");
	assert_int_equal(device_rename(&f->call, ANN, "NONE", "x", NULL), -MX_NOT_FOUND);
	memset(name, 'x', 257);
	name[257] = '\0';
	assert_int_equal(device_rename(&f->call, ANN, "PHONE", name, NULL), -MX_INVALID_PARAM);
}

static void ids_have_rules(void **state)
{
	char id[257] = { 0 };

	(void)state;
	memset(id, 'x', 255);
	assert_int_equal(device_check_id(id, NULL), 0);
	id[255] = 'x';
	assert_int_equal(device_check_id(id, NULL), -MX_INVALID_PARAM);
	assert_int_equal(device_check_id("", NULL), -MX_INVALID_PARAM);
	assert_int_equal(device_check_id("a\x01", NULL), -MX_INVALID_PARAM);
	assert_int_equal(device_check_id("a\x7f", NULL), -MX_INVALID_PARAM);
	assert_int_equal(device_check_id("\xc3\xbc b", NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hs_test(a_device_gets_an_id),
		hs_test(what_is_stored_is_read),
		hs_test(an_id_that_is_there_is_the_same_device_with_another_session),
		hs_test(devices_of_others_with_the_same_id_are_theirs),
		hs_test(deleting_ends_the_session),
		hs_test(all_but_one_are_deleted),
		hs_test(a_device_is_renamed),
		hs_test(ids_have_rules),
	};

	return cmocka_run_group_tests_name("homeserver/account/device", tests, NULL, NULL);
}
