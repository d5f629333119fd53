/* Readings of directories that only exist here. */
#include "identity/binding/listed.h"
#include "identity/source/source_state.h"
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/time.h"
#include "tests/support/binding_fixture.h"

struct person {
	const char *address, *user_id;
};

/* What the next reading gets. */
static struct {
	const struct person *people;
	size_t len;
	int rc; /* after them */
	const char *newest;
	char since[64]; /* that was asked for */
} directory;

static int read_directory(void *state, struct source_reading *reading, struct mx_error *err)
{
	bool more = true;

	(void)state;
	snprintf(directory.since, sizeof(directory.since), "%s", reading->since);
	for (size_t i = 0; more && i < directory.len; i++) {
		const struct threepid as_written = { "email", directory.people[i].address };

		more = reading->visit(reading->ctx, &as_written, directory.people[i].user_id);
	}
	snprintf(reading->newest, sizeof(reading->newest), "%s",
		 directory.newest ? directory.newest : "");
	return directory.rc ? mx_fail(err, MX_REMOTE_FAILED, "it broke") : 0;
}

static const struct source_kind only_here = { .read = read_directory };

static bool yes = true, no;
static char first[] = "first", second[] = "second";

struct world {
	struct binding_fixture *f;
	struct source_conf confs[2];
	struct sources sources;
};

static int setup(void **state)
{
	struct world *world = mx_calloc(1, sizeof(*world));

	binding_fixture_setup((void **)&world->f);
	world->sources.conf.store = world->f->identity.store;
	world->sources.len = 2;
	for (unsigned i = 0; i < 2; i++) {
		struct source *source = &world->sources.items[i];

		world->confs[i] = (struct source_conf){ .name = i ? second : first,
							.read = &yes,
							.full_minutes = 60,
							.refresh_minutes = 5,
							.addresses_max = 1000 };
		source->sources = &world->sources;
		source->place = i;
		source->conf = &world->confs[i];
		source->kind = &only_here;
	}
	yes = true;
	directory.people = NULL;
	directory.len = 0;
	directory.rc = 0;
	directory.newest = NULL;
	*state = world;
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;

	binding_fixture_teardown((void **)&world->f);
	mx_free(world);
	return 0;
}

#define LISTS(...)                                                     \
	do {                                                           \
		static const struct person people[] = { __VA_ARGS__ }; \
		directory.people = people;                             \
		directory.len = sizeof(people) / sizeof(people[0]);    \
	} while (0)

static int read_source(struct world *world, unsigned place)
{
	struct mx_error err = { 0 };

	return source_read(&world->sources.items[place], &err);
}

static const char *who(struct world *world, const char *address)
{
	const struct threepid threepid = { "email", address };
	struct listed listed;

	binding_fixture_read(world->f);
	if (listed_find(&world->f->call, &threepid, &listed))
		return NULL;
	return listed.user_id;
}

static void assert_who(struct world *world, const char *address, const char *user_id)
{
	if (user_id)
		assert_string_equal(who(world, address), user_id);
	else
		assert_null(who(world, address));
}

static void what_is_listed_is_kept_in_its_canonical_form(void **state)
{
	LISTS({ "Ann@Example.COM", "@ann:x" }, { "no address", "@odd:x" });
	assert_int_equal(read_source(*state, 0), 0);
	assert_who(*state, "ann@example.com", "@ann:x");
}

static void who_is_no_longer_listed_goes(void **state)
{
	LISTS({ "ann@example.com", "@ann:x" }, { "ben@example.com", "@ben:x" });
	assert_int_equal(read_source(*state, 0), 0);
	LISTS({ "ben@example.com", "@ben2:x" });
	assert_int_equal(read_source(*state, 0), 0);
	assert_who(*state, "ann@example.com", NULL);
	assert_who(*state, "ben@example.com", "@ben2:x");
}

static void a_reading_that_breaks_takes_nobody_away(void **state)
{
	LISTS({ "ann@example.com", "@ann:x" }, { "ben@example.com", "@ben:x" });
	assert_int_equal(read_source(*state, 0), 0);
	LISTS({ "zoe@example.com", "@zoe:x" });
	directory.rc = -MX_REMOTE_FAILED;
	assert_int_equal(read_source(*state, 0), -MX_REMOTE_FAILED);
	assert_who(*state, "ann@example.com", "@ann:x");
}

static void a_directory_that_lists_nobody_is_not_believed(void **state)
{
	LISTS({ "ann@example.com", "@ann:x" });
	assert_int_equal(read_source(*state, 0), 0);
	directory.len = 0;
	assert_int_equal(read_source(*state, 0), -MX_REMOTE_FAILED);
	assert_who(*state, "ann@example.com", "@ann:x");
}

static void a_directory_that_lists_too_many_is_not_believed(void **state)
{
	struct world *world = *state;

	LISTS({ "ann@example.com", "@ann:x" }, { "ben@example.com", "@ben:x" });
	world->confs[0].addresses_max = 1;
	assert_int_equal(read_source(*state, 0), -MX_REMOTE_FAILED);
}

static void of_two_that_claim_an_address_the_first_has_it(void **state)
{
	LISTS({ "ann@example.com", "@ann:x" }, { "ANN@example.com", "@eve:x" });
	assert_int_equal(read_source(*state, 0), 0);
	assert_who(*state, "ann@example.com", "@ann:x");
	assert_int_equal(read_source(*state, 0), 0);
	assert_who(*state, "ann@example.com", "@ann:x");
}

static void an_earlier_source_wins_in_any_order(void **state)
{
	LISTS({ "ann@example.com", "@second:x" });
	assert_int_equal(read_source(*state, 1), 0);
	LISTS({ "ann@example.com", "@first:x" });
	assert_int_equal(read_source(*state, 0), 0);
	assert_who(*state, "ann@example.com", "@first:x");
	LISTS({ "ann@example.com", "@second:x" });
	assert_int_equal(read_source(*state, 1), 0);
	assert_who(*state, "ann@example.com", "@first:x");
	LISTS({ "ben@example.com", "@ben:x" });
	assert_int_equal(read_source(*state, 0), 0);
	assert_who(*state, "ann@example.com", NULL);
	LISTS({ "ann@example.com", "@second:x" });
	assert_int_equal(read_source(*state, 1), 0);
	assert_who(*state, "ann@example.com", "@second:x");
	assert_who(*state, "ben@example.com", "@ben:x");
}

static void only_what_changed_is_read_between_whole_readings(void **state)
{
	struct world *world = *state;

	LISTS({ "ann@example.com", "@ann:x" }, { "ben@example.com", "@ben:x" });
	directory.newest = "20261121180000Z";
	assert_int_equal(read_source(world, 0), 0);
	assert_string_equal(directory.since, "");
	LISTS({ "ben@example.com", "@ben2:x" });
	assert_int_equal(read_source(world, 0), 0);
	assert_string_equal(directory.since, "20261121180000Z");
	assert_who(world, "ann@example.com", "@ann:x");
	assert_who(world, "ben@example.com", "@ben2:x");
	binding_fixture_at(world->f, BINDING_FIXTURE_NOW + MX_HOUR_MS);
	assert_int_equal(read_source(world, 0), 0);
	assert_string_equal(directory.since, "");
	assert_who(world, "ann@example.com", NULL);
}

static void after_a_failure_all_is_read(void **state)
{
	LISTS({ "ann@example.com", "@ann:x" });
	directory.newest = "20261121180000Z";
	assert_int_equal(read_source(*state, 0), 0);
	directory.rc = -MX_REMOTE_FAILED;
	assert_int_equal(read_source(*state, 0), -MX_REMOTE_FAILED);
	directory.rc = 0;
	assert_int_equal(read_source(*state, 0), 0);
	assert_string_equal(directory.since, "");
}

static void what_no_source_reads_any_more_is_forgotten(void **state)
{
	struct world *world = *state;

	LISTS({ "ann@example.com", "@ann:x" });
	assert_int_equal(read_source(world, 0), 0);
	LISTS({ "ben@example.com", "@ben:x" });
	assert_int_equal(read_source(world, 1), 0);
	world->confs[0].read = &no;
	assert_int_equal(source_forget_others(&world->sources, NULL), 0);
	assert_who(world, "ann@example.com", NULL);
	assert_who(world, "ben@example.com", "@ben:x");
}

static void more_than_a_page_is_written_and_swept(void **state)
{
	static struct person people[900];
	static char texts[900][2][32];

	for (size_t i = 0; i < 900; i++) {
		snprintf(texts[i][0], sizeof(texts[i][0]), "p%zu@example.com", i);
		snprintf(texts[i][1], sizeof(texts[i][1]), "@p%zu:x", i);
		people[i] = (struct person){ texts[i][0], texts[i][1] };
	}
	directory.people = people;
	directory.len = 900;
	assert_int_equal(read_source(*state, 0), 0);
	assert_who(*state, "p899@example.com", "@p899:x");
	directory.people = people + 899;
	directory.len = 1;
	assert_int_equal(read_source(*state, 0), 0);
	assert_who(*state, "p0@example.com", NULL);
	assert_who(*state, "p898@example.com", NULL);
	assert_who(*state, "p899@example.com", "@p899:x");
}

#define reader_test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		reader_test(what_is_listed_is_kept_in_its_canonical_form),
		reader_test(who_is_no_longer_listed_goes),
		reader_test(a_reading_that_breaks_takes_nobody_away),
		reader_test(a_directory_that_lists_nobody_is_not_believed),
		reader_test(a_directory_that_lists_too_many_is_not_believed),
		reader_test(of_two_that_claim_an_address_the_first_has_it),
		reader_test(an_earlier_source_wins_in_any_order),
		reader_test(only_what_changed_is_read_between_whole_readings),
		reader_test(after_a_failure_all_is_read),
		reader_test(what_no_source_reads_any_more_is_forgotten),
		reader_test(more_than_a_page_is_written_and_swept),
	};

	return cmocka_run_group_tests_name("reader", tests, NULL, NULL);
}
