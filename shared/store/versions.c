#include "shared/store/versions.h"

#include "shared/core/alloc.h"
#include "shared/core/arena.h"

struct kept_row {
	unsigned table;
	struct store_ordered_node *node;
};

/* The rows kept for one commit. */
struct store_versions_group {
	struct store_versions_group *next;
	uint64_t position;
	struct mx_vec(struct kept_row) rows;
};

void store_versions_init(struct store_versions *versions, unsigned tables_len,
			 _Atomic uint64_t *stamp)
{
	*versions = (struct store_versions){
		.tables = mx_calloc(tables_len, sizeof(*versions->tables)),
		.tables_len = tables_len,
		.bytes_max = STORE_VERSIONS_BYTES_MAX,
		.stamp = stamp,
	};
	pthread_mutex_init(&versions->views_lock, NULL);
	pthread_rwlock_init(&versions->rows_lock, NULL);
}

static void first_group_drop(struct store_versions *versions)
{
	struct store_versions_group *group = versions->groups;

	for (size_t i = 0; i < group->rows.len; i++) {
		struct kept_row *row = &group->rows.items[i];

		store_ordered_remove(&versions->tables[row->table], row->node);
		versions->bytes -= store_ordered_size(row->node);
		mx_free(row->node);
	}
	versions->groups = group->next;
	if (!versions->groups)
		versions->groups_end = NULL;
	mx_vec_done(&group->rows);
	mx_free(group);
}

/* Nobody is left who needs what was before `position` and earlier commits. */
static void groups_drop(struct store_versions *versions, uint64_t position)
{
	while (versions->groups && versions->groups->position <= position)
		first_group_drop(versions);
}

void store_versions_done(struct store_versions *versions)
{
	groups_drop(versions, UINT64_MAX);
	mx_free(versions->tables);
	pthread_rwlock_destroy(&versions->rows_lock);
	pthread_mutex_destroy(&versions->views_lock);
}

void store_versions_view_begin(struct store_versions *versions, struct store_snapshot *view)
{
	pthread_mutex_lock(&versions->views_lock);
	*view = (struct store_snapshot){
		.position = versions->published,
		.stamp = atomic_load(versions->stamp),
		.previous = versions->latest,
	};
	if (versions->latest)
		versions->latest->next = view;
	else
		versions->oldest = view;
	versions->latest = view;
	pthread_mutex_unlock(&versions->views_lock);
}

static void view_unlink(struct store_versions *versions, struct store_snapshot *view)
{
	if (view->previous)
		view->previous->next = view->next;
	else
		versions->oldest = view->next;
	if (view->next)
		view->next->previous = view->previous;
	else
		versions->latest = view->previous;
}

static uint64_t needed_from(const struct store_versions *versions)
{
	const struct store_snapshot *view = versions->oldest;

	while (view && view->expired)
		view = view->next;
	return view ? view->position : versions->published;
}

void store_versions_view_end(struct store_versions *versions, struct store_snapshot *view)
{
	uint64_t before, after;

	pthread_mutex_lock(&versions->views_lock);
	before = needed_from(versions);
	view_unlink(versions, view);
	after = needed_from(versions);
	if (after > before) {
		pthread_rwlock_wrlock(&versions->rows_lock);
		groups_drop(versions, after);
		pthread_rwlock_unlock(&versions->rows_lock);
	}
	pthread_mutex_unlock(&versions->views_lock);
}

/* Only the writing thread changes `published`, so it may read it without the lock. */
static uint64_t position_under_way(const struct store_versions *versions)
{
	return versions->published + 1;
}

bool store_versions_has(struct store_versions *versions, const struct store_place *place)
{
	bool has;

	pthread_rwlock_rdlock(&versions->rows_lock);
	has = store_ordered_find(&versions->tables[place->table], place->key,
				 position_under_way(versions));
	pthread_rwlock_unlock(&versions->rows_lock);
	return has;
}

static struct store_versions_group *group_under_way(struct store_versions *versions)
{
	uint64_t position = position_under_way(versions);
	struct store_versions_group *group = versions->groups_end;

	if (group && group->position == position)
		return group;
	group = mx_calloc(1, sizeof(*group));
	group->position = position;
	if (versions->groups_end)
		versions->groups_end->next = group;
	else
		versions->groups = group;
	versions->groups_end = group;
	return group;
}

void store_versions_keep(struct store_versions *versions, const struct store_place *place,
			 const struct mx_slice *value)
{
	const struct store_ordered_row row = {
		.key = place->key,
		.value = value ? *value : MX_SLICE(""),
		.present = value,
		.position = position_under_way(versions),
	};
	struct store_ordered_node *node;

	pthread_rwlock_wrlock(&versions->rows_lock);
	node = store_ordered_put(&versions->tables[place->table], NULL, &row);
	mx_vec_push(&group_under_way(versions)->rows, (struct kept_row){ place->table, node });
	versions->bytes += store_ordered_size(node);
	pthread_rwlock_unlock(&versions->rows_lock);
	/* Whoever reads the changed row from the table reads it after this. */
	atomic_store_explicit(&versions->newest, row.position, memory_order_release);
}

/* Memory is bounded: the views that made it grow this far end. */
static void views_expire(struct store_versions *versions)
{
	for (struct store_snapshot *view = versions->oldest; view; view = view->next)
		view->expired = view->expired || view->position < versions->published;
	groups_drop(versions, versions->published);
}

void store_versions_publish(struct store_versions *versions, uint64_t stamp)
{
	pthread_mutex_lock(&versions->views_lock);
	versions->published++;
	atomic_store(versions->stamp, stamp);
	pthread_rwlock_wrlock(&versions->rows_lock);
	groups_drop(versions, needed_from(versions));
	if (versions->bytes > versions->bytes_max)
		views_expire(versions);
	pthread_rwlock_unlock(&versions->rows_lock);
	pthread_mutex_unlock(&versions->views_lock);
}

/* `expired` is set together with the loss of rows, under rows_lock, so it is to be asked after a
 * look at the rows, under the same lock. */
static bool nothing_kept_since(struct store_versions *versions, const struct store_snapshot *view)
{
	return atomic_load_explicit(&versions->newest, memory_order_acquire) <= view->position;
}

static enum store_version copy_version(const struct store_ordered_node *node, struct mx_arena *mem,
				       struct mx_slice *ret_value)
{
	if (!node->present)
		return STORE_VERSION_ABSENT;
	*ret_value = mx_arena_slice(mem, node->value);
	return STORE_VERSION_PRESENT;
}

enum store_version store_versions_get(struct store_versions *versions,
				      const struct store_snapshot *view,
				      const struct store_place *place, struct mx_arena *mem,
				      struct mx_slice *ret_value)
{
	enum store_version result = STORE_VERSION_CURRENT;
	const struct store_ordered_node *node;

	if (nothing_kept_since(versions, view))
		return STORE_VERSION_CURRENT;
	pthread_rwlock_rdlock(&versions->rows_lock);
	node = store_ordered_from(&versions->tables[place->table], place->key, view->position + 1);
	if (view->expired)
		result = STORE_VERSION_EXPIRED;
	else if (node && mx_slice_eq(node->key, place->key))
		result = copy_version(node, mem, ret_value);
	pthread_rwlock_unlock(&versions->rows_lock);
	return result;
}

/* The first node after `node`'s row that is younger than the view. */
static const struct store_ordered_node *next_row(const struct store_ordered_node *node,
						 const struct store_snapshot *view)
{
	struct mx_slice key = node->key;

	for (node = node->next[0]; node; node = node->next[0]) {
		if (node->position > view->position && !mx_slice_eq(node->key, key))
			return node;
	}
	return NULL;
}

static void patches_collect(const struct store_ordered *rows, const struct store_snapshot *view,
			    const struct store_versions_span *span, struct mx_arena *mem,
			    struct store_patches *patches)
{
	const struct store_ordered_node *node = store_ordered_from(rows, span->from, 0);

	while (node && node->position <= view->position)
		node = node->next[0];
	for (; node; node = next_row(node, view)) {
		struct store_ordered_row patch = { .present = node->present };

		if (span->to.len && mx_slice_cmp(node->key, span->to) >= 0)
			return;
		patch.key = mx_arena_slice(mem, node->key);
		patch.value = mx_arena_slice(mem, node->value);
		mx_vec_push(patches, patch);
	}
}

bool store_versions_patch(struct store_versions *versions, const struct store_snapshot *view,
			  const struct store_versions_span *span, struct mx_arena *mem,
			  struct store_patches *patches)
{
	bool expired;

	if (nothing_kept_since(versions, view))
		return true;
	pthread_rwlock_rdlock(&versions->rows_lock);
	expired = view->expired;
	if (!expired)
		patches_collect(&versions->tables[span->table], view, span, mem, patches);
	pthread_rwlock_unlock(&versions->rows_lock);
	return !expired;
}
