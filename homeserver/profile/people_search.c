#include "homeserver/profile/people_search.h"

#include "homeserver/call.h"
#include "homeserver/hs.h"
#include "homeserver/hs_conf.h"
#include "homeserver/profile/acquaintance.h"
#include "homeserver/profile/profile.h"
#include "shared/core/arena.h"
#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/core/vec.h"

#include <stdlib.h>
#include <unicase.h>
#include <uninorm.h>

#define PAGE_ROWS  1000
#define MATCH_MAX  1000 /* people of whom it is asked whether they may be seen */
#define WORDS_MAX  10
#define TERM_BYTES 1024 /* nobody has a longer name */

/* How much of a name a word has to be, the better the less. */
enum rank { RANK_WHOLE, RANK_BEGINNING, RANK_WORD, RANK_INSIDE, RANK_NONE };

struct match {
	struct person_row person;
	enum rank rank;
};
struct matches mx_vec(struct match);

struct words {
	struct mx_slice items[WORDS_MAX];
	size_t len;
};

/* ---- words */

/* Compared without case and in one of several equal spellings. */
static struct mx_slice fold(struct mx_slice text, struct mx_arena *mem)
{
	size_t len;
	uint8_t *folded = u8_casefold((const uint8_t *)text.ptr, text.len, NULL, UNINORM_NFKC, NULL,
				      &len);
	struct mx_slice copy;

	if (!folded)
		return text;
	copy = mx_arena_slice(mem, mx_slice_of(folded, len));
	free(folded);
	return copy;
}

static void split(struct mx_slice term, struct words *words)
{
	struct mx_slice rest = term, word;

	while (words->len < WORDS_MAX && mx_split_next(&rest, ' ', &word))
		if (word.len)
			words->items[words->len++] = word;
}

static bool begins_word(struct mx_slice text, size_t at)
{
	return at == 0 || strchr(" @._-/+=", text.ptr[at - 1]);
}

static enum rank rank_at(struct mx_slice text, size_t at, size_t len)
{
	/* Behind the '@' of the user id. */
	if (at == 1)
		return at + len < text.len && text.ptr[at + len] == ':' ? RANK_WHOLE
									: RANK_BEGINNING;
	return begins_word(text, at) ? RANK_WORD : RANK_INSIDE;
}

static enum rank rank_of_word(struct mx_slice text, struct mx_slice word)
{
	enum rank best = RANK_NONE;

	for (size_t at = 0; at + word.len <= text.len; at++) {
		const char *found = memmem(text.ptr + at, text.len - at, word.ptr, word.len);
		enum rank rank;

		if (!found)
			break;
		at = (size_t)(found - text.ptr);
		rank = rank_at(text, at, word.len);
		best = rank < best ? rank : best;
	}
	return best;
}

/* Its worst word counts. */
static enum rank rank_of(const struct person_row *person, const struct words *words)
{
	enum rank worst = RANK_WHOLE;

	for (size_t i = 0; i < words->len; i++) {
		enum rank rank = rank_of_word(person->folded, words->items[i]);

		worst = rank > worst ? rank : worst;
	}
	return worst;
}

/* ---- everybody who matches */

static int by_rank(const void *a_ptr, const void *b_ptr)
{
	const struct match *a = a_ptr, *b = b_ptr;
	int diff = (int)a->rank - (int)b->rank;

	/* Spec: "Ordered by rank and then whether or not profile info is available". */
	if (diff == 0)
		diff = (a->person.displayname.len == 0) - (b->person.displayname.len == 0);
	return diff ? diff : mx_slice_cmp(a->person.user_id, b->person.user_id);
}

static struct person_row copy(const struct person_row *person, struct mx_arena *mem)
{
	return (struct person_row){
		.user_id = mx_arena_slice(mem, person->user_id),
		.displayname = mx_arena_slice(mem, person->displayname),
		.avatar_url = mx_arena_slice(mem, person->avatar_url),
	};
}

static void take_page(const struct person_rows *page, const struct words *words,
		      struct mx_arena *mem, struct matches *matches)
{
	for (size_t i = 0; i < page->len && matches->len < MATCH_MAX; i++) {
		enum rank rank = rank_of(&page->items[i], words);

		if (rank != RANK_NONE)
			mx_vec_push(matches, (struct match){ copy(&page->items[i], mem), rank });
	}
}

/* Pages are looked at one after the other in the same memory. */
static int find_all(const struct hs_call *call, const struct words *words, struct matches *matches)
{
	mx_arena_auto *mem = mx_arena_new(0);
	struct hs_call page_call = *call;
	struct person_rows page;
	mx_str_auto after = { 0 };
	int rc;

	page_call.mem = mem;
	do {
		mx_arena_reset(mem);
		rc = people_db_scan(&page_call, mx_str_slice(&after), PAGE_ROWS, &page);
		if (rc)
			return rc;
		take_page(&page, words, call->mem, matches);
		mx_str_clear(&after);
		if (page.len)
			mx_str_add_slice(&after, page.items[page.len - 1].user_id);
	} while (page.len == PAGE_ROWS && matches->len < MATCH_MAX);
	if (matches->len)
		qsort(matches->items, matches->len, sizeof(*matches->items), by_rank);
	return 0;
}

/* ---- who may be seen */

static bool may_see(const struct hs_call *call, const struct joined_rooms *rooms,
		    const struct person_row *person)
{
	const struct hs_conf *conf = conf_of(call->hs);

	return (conf->user_directory.all_users && *conf->user_directory.all_users) ||
	       acquaintance_shares(call, rooms, person->user_id.ptr) ||
	       acquaintance_is_public(call, person->user_id.ptr);
}

static int choose(const struct hs_call *call, const struct people_search *search,
		  const struct matches *matches, struct people_found *found)
{
	struct joined_rooms rooms;
	int rc = joined_rooms_load(call, search->viewer, &rooms);

	if (rc)
		return rc;
	found->items = mx_arena_calloc(call->mem, search->limit + 1, sizeof(*found->items));
	for (size_t i = 0; i < matches->len && !found->limited; i++) {
		const struct person_row *person = &matches->items[i].person;

		if (mx_slice_is(person->user_id, search->viewer) || !may_see(call, &rooms, person))
			continue;
		if (found->len == search->limit)
			found->limited = true;
		else
			found->items[found->len++] = *person;
	}
	return 0;
}

int people_search(const struct hs_call *call, const struct people_search *search,
		  struct people_found *ret_found)
{
	struct mx_slice term = mx_trim(search->term);
	struct matches matches = { 0 };
	struct words words = { 0 };
	int rc;

	*ret_found = (struct people_found){ 0 };
	if (term.len > TERM_BYTES)
		return 0;
	split(fold(term, call->mem), &words);
	if (words.len == 0)
		return 0;
	rc = find_all(call, &words, &matches);
	if (rc == 0)
		rc = choose(call, search, &matches, ret_found);
	mx_vec_done(&matches);
	return rc;
}

int people_update(const struct hs_call *call, const char *user_id)
{
	const char *displayname, *avatar_url;
	struct person_row row = { .user_id = mx_slice(user_id) };
	mx_str_auto text = { 0 };
	int rc = profile_text(call, user_id, "displayname", &displayname);

	if (rc == 0)
		rc = profile_text(call, user_id, "avatar_url", &avatar_url);
	if (rc)
		return rc;
	row.displayname = mx_slice(displayname);
	row.avatar_url = mx_slice(avatar_url);
	mx_str_addf(&text, "%s %s", user_id, displayname ? displayname : "");
	row.folded = fold(mx_str_slice(&text), call->mem);
	people_db_put(call->txn, &row);
	return 0;
}
