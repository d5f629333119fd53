/* Signed associations, byte by byte: tests/scenarios/association. The key is that of the
 * specification's test vectors, as ed25519:0 of id.example.org. */
#include "identity/binding/binding.h"
#include "shared/core/arena.h"
#include "tests/support/binding_fixture.h"
#include "tests/support/scenario.h"

static void check_bytes(const struct scenario *scenario, const struct binding *binding)
{
	struct mx_slice expected = scenario_text(scenario, "signed");

	if (!mx_slice_eq(binding->signed_json, expected))
		fail_msg("got %.*s, not %.*s", MX_SLICE_ARG(binding->signed_json),
			 MX_SLICE_ARG(expected));
}

static void check(const struct scenario *scenario)
{
	const struct threepid threepid = {
		.medium = scenario_cstr(scenario, "medium"),
		.address = scenario_cstr(scenario, "address"),
	};
	struct binding_fixture *f;
	struct binding binding;
	void *state;

	binding_fixture_setup(&state);
	f = state;
	binding_fixture_at(f, scenario_int(scenario, "now", 0));
	assert_int_equal(
		binding_make(&f->call, &threepid, scenario_cstr(scenario, "mxid"), &binding, NULL),
		0);
	check_bytes(scenario, &binding);
	/* What is stored are the same bytes. */
	assert_true(binding_put(&f->call, &binding));
	binding_fixture_read(f);
	assert_int_equal(binding_load(&f->call, &threepid, &binding), 0);
	check_bytes(scenario, &binding);
	assert_string_equal(binding.origin, "id.example.org");
	binding_fixture_teardown(&state);
}

int main(void)
{
	return scenarios_run("association", check);
}
