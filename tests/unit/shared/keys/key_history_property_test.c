/* Random histories against a model that remembers everything in lists. */
#include "shared/core/alloc.h"
#include "shared/core/arena.h"
#include "shared/core/time.h"
#include "shared/core/vec.h"
#include "tests/support/history_fixture.h"

#define SERVERS 4
#define IDS     5
#define STEPS   400
#define SEEDS   3 /* different keys under one id */

struct said {
	struct made_object made;
	struct mx_slice text;
	int version; /* index of the first one with the same content */
};

struct model {
	struct mx_vec(struct said) said[SERVERS]; /* all that was accepted */
	int bytes_of[SERVERS][IDS]; /* 0 = id not seen */
	unsigned conflicts[SERVERS][IDS][SEEDS + 1];
};

static const char *const servers[SERVERS] = { "a.example", "A.example", "b.example:8448",
					      "[2001:db8::1]:8448" };
static const char *const ids[IDS] = { "ed25519:1", "ed25519:2", "ed25519:auto", "ed25519:a_x",
				      "ed25519:odd-one" };

static uint64_t random_state;

/* xorshift64: the same sequence in every run. */
static unsigned below(unsigned bound)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned)(random_state >> 33) % bound;
}

static int id_index(const char *id)
{
	for (int i = 0; i < IDS; i++)
		if (strcmp(ids[i], id) == 0)
			return i;
	fail_msg("no such id");
	return -1;
}

static struct made_object make(int server)
{
	static const char *const notes[] = { NULL, "x", "y" };
	unsigned start = below(IDS), len = 1 + below(2);
	struct made_object made = {
		.server = servers[server],
		.valid_until_ts = DAY_ZERO + (int64_t)below(20) * MX_DAY_MS,
		.note = notes[below(3)],
	};

	for (unsigned i = 0; i < len; i++)
		made.keys[i] = (struct made_key){
			.id = ids[(start + i) % IDS],
			/* mostly the right key, sometimes another */
			.seed = (uint8_t)(10 * ((start + i) % IDS) + 1 +
					  (below(6) ? 0 : below(SEEDS))),
			.expired_ts = i ? below(2) * 1000 : 0,
		};
	return made;
}

static bool same_keys(const struct made_object *a, const struct made_object *b)
{
	for (int i = 0; i < 4; i++) {
		if (!a->keys[i].id || !b->keys[i].id)
			return !a->keys[i].id && !b->keys[i].id;
		if (strcmp(a->keys[i].id, b->keys[i].id) || a->keys[i].seed != b->keys[i].seed ||
		    a->keys[i].expired_ts != b->keys[i].expired_ts)
			return false;
	}
	return true;
}

static bool same_content(const struct made_object *a, const struct made_object *b)
{
	return a->note == b->note && same_keys(a, b);
}

/* ---- the model's idea of recording */

static bool model_conflict(struct model *model, int server, const struct made_object *made)
{
	bool conflict = false;

	for (int i = 0; i < 4 && made->keys[i].id; i++) {
		int id = id_index(made->keys[i].id);
		int known = model->bytes_of[server][id];

		if (!known || known == made->keys[i].seed)
			continue;
		model->conflicts[server][id][made->keys[i].seed % 10]++;
		conflict = true;
	}
	return conflict;
}

static int model_version(const struct model *model, int server, const struct made_object *made)
{
	for (size_t i = 0; i < model->said[server].len; i++)
		if (same_content(&model->said[server].items[i].made, made))
			return (int)i;
	return -1;
}

static bool model_has(const struct model *model, int server, const struct made_object *made)
{
	for (size_t i = 0; i < model->said[server].len; i++) {
		const struct said *said = &model->said[server].items[i];

		if (same_content(&said->made, made) &&
		    said->made.valid_until_ts == made->valid_until_ts)
			return true;
	}
	return false;
}

static void model_add(struct model *model, int server, const struct made_object *made,
		      struct mx_arena *mem)
{
	struct said said = { .made = *made, .version = model_version(model, server, made) };

	if (said.version < 0)
		said.version = (int)model->said[server].len;
	said.text = key_fixture_text(made, mem);
	mx_vec_push(&model->said[server], said);
	for (int i = 0; i < 4 && made->keys[i].id; i++)
		model->bytes_of[server][id_index(made->keys[i].id)] = made->keys[i].seed;
}

/* ---- both do the same */

static void step(struct history_fixture *f, struct model *model)
{
	int server = (int)below(SERVERS);
	struct made_object made = make(server);
	bool known = model_version(model, server, &made) >= 0;
	bool has = model_has(model, server, &made);
	bool conflict = !known && model_conflict(model, server, &made);
	struct key_recorded recorded = history_fixture_record(f, &made);

	assert_int_equal(recorded.conflict, conflict);
	assert_int_equal(recorded.is_new, !conflict && !known);
	assert_int_equal(recorded.renewed, known && !has);
	if (!conflict && !has)
		model_add(model, server, &made, f->mem);
	history_fixture_pass(f, below(3) * MX_HOUR_MS);
	if (below(40) == 0)
		history_fixture_restart(f);
}

/* ---- nothing is missing, nothing is too much */

static const struct said *newest(const struct model *model, int server, int version)
{
	const struct said *best = NULL;

	for (size_t i = 0; i < model->said[server].len; i++) {
		const struct said *said = &model->said[server].items[i];

		if (said->version == version &&
		    (!best || said->made.valid_until_ts > best->made.valid_until_ts))
			best = said;
	}
	return best;
}

static const struct key_version *served(const struct key_entry *entry, struct mx_slice text)
{
	for (size_t i = 0; i < entry->len; i++)
		if (mx_slice_eq(entry->versions[i].bytes, text))
			return &entry->versions[i];
	return NULL;
}

static void check_renewals(struct history_fixture *f, const struct model *model, int server,
			   int version, uint64_t number)
{
	struct key_renewal *renewals;
	size_t len, expected = 0;

	assert_int_equal(key_history_renewals(f->history, mx_slice(servers[server]), number, 1000,
					      f->mem, &renewals, &len, NULL),
			 0);
	for (size_t i = 0; i < model->said[server].len; i++) {
		const struct said *said = &model->said[server].items[i];
		bool found = false;

		for (size_t j = 0; j < len; j++)
			found |= mx_slice_eq(renewals[j].bytes, said->text);
		assert_int_equal(found, said->version == version);
		expected += said->version == version;
	}
	assert_int_equal(len, expected);
}

static void check_versions(struct history_fixture *f, const struct model *model, int server)
{
	struct key_entry *entry = history_fixture_load(f, servers[server]);
	size_t expected = 0;

	for (size_t i = 0; i < model->said[server].len; i++) {
		const struct key_version *version;

		if (model->said[server].items[i].version != (int)i)
			continue;
		expected++;
		version = served(entry, newest(model, server, (int)i)->text);
		assert_non_null(version);
		check_renewals(f, model, server, (int)i, version->number);
	}
	assert_int_equal(entry->len, expected);
	for (size_t i = 1; i < entry->len; i++)
		assert_true(entry->versions[i - 1].valid_until_ts <=
			    entry->versions[i].valid_until_ts);
	key_entry_unref(entry);
}

static void check_keys(struct history_fixture *f, const struct model *model, int server)
{
	struct key_entry *entry = history_fixture_load(f, servers[server]);

	for (int id = 0; id < IDS; id++) {
		int seed = model->bytes_of[server][id];
		struct key_found found;
		uint8_t public_key[32];

		assert_int_equal(key_entry_find(entry, mx_slice(ids[id]), &found), seed != 0);
		if (!seed)
			continue;
		key_fixture_public((uint8_t)seed, public_key);
		assert_memory_equal(found.public_key, public_key, 32);
	}
	key_entry_unref(entry);
}

static unsigned model_count(const struct model *model, int server,
			    const struct key_conflict *conflict)
{
	uint8_t public_key[32];

	for (int id = 0; id < IDS; id++)
		for (int seed = 1; seed <= SEEDS; seed++) {
			key_fixture_public((uint8_t)(10 * id + seed), public_key);
			if (mx_slice_is(conflict->key_id, ids[id]) &&
			    memcmp(conflict->refused, public_key, 32) == 0)
				return model->conflicts[server][id][seed];
		}
	return 0;
}

static void check_conflicts(struct history_fixture *f, const struct model *model, int server)
{
	struct key_conflict *conflicts;
	size_t len, expected = 0;

	assert_int_equal(key_history_conflicts(f->history, mx_slice(servers[server]), 100, f->mem,
					       &conflicts, &len, NULL),
			 0);
	for (int id = 0; id < IDS; id++)
		for (int seed = 0; seed <= SEEDS; seed++)
			expected += model->conflicts[server][id][seed] > 0;
	assert_int_equal(len, expected);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(conflicts[i].count, model_count(model, server, &conflicts[i]));
}

static void nothing_is_ever_forgotten(void **state)
{
	struct history_fixture *f = *state;
	struct model model = { 0 };

	random_state = UINT64_C(0x9e3779b97f4a7c15);
	for (int i = 0; i < STEPS; i++)
		step(f, &model);
	for (int pass = 0; pass < 2; pass++) {
		for (int server = 0; server < SERVERS; server++) {
			check_versions(f, &model, server);
			check_keys(f, &model, server);
			check_conflicts(f, &model, server);
		}
		history_fixture_restart(f);
	}
	for (int server = 0; server < SERVERS; server++)
		mx_vec_done(&model.said[server]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		history_test(nothing_is_ever_forgotten),
	};
	return cmocka_run_group_tests_name("keys/key_history_property", tests, NULL, NULL);
}
