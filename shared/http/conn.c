#include "shared/http/conn.h"

#include "shared/core/alloc.h"
#include "shared/core/map.h"
#include "shared/core/thread.h"
#include "shared/core/time.h"
#include "shared/http/socket_info.h"

#include <pthread.h>
#include <sys/socket.h>

#define RATE_MIN    1024 /* bytes a second, of bodies and of replies that wait for the peer */
#define TICK_MIN_MS 20
#define TICK_MAX_MS 1000

struct conn_registry {
	pthread_mutex_t lock; /* everything below, and that no descriptor closes meanwhile */
	pthread_cond_t wake;
	pthread_t watchdog;
	bool stopping;
	struct conn_limits limits;
	const struct peer_ranges *trusted;
	struct http_conn *first;
	unsigned len;
	struct mx_map per_address; /* peer_key → unsigned, on the heap */
	int64_t refused, late;
};

static bool is_counted(const struct conn_registry *registry, const struct peer *peer)
{
	return peer->is_ip && (registry->limits.limit_loopback || !peer_is_loopback(peer));
}

static unsigned count_of(const struct conn_registry *registry, const struct peer *peer)
{
	unsigned *count = mx_map_find(&registry->per_address, peer_key(peer));

	return count ? *count : 0;
}

bool conn_may_open(struct conn_registry *registry, const struct sockaddr *address)
{
	struct peer peer = peer_of(address);
	bool may;

	pthread_mutex_lock(&registry->lock);
	may = registry->len < registry->limits.total &&
	      (!is_counted(registry, &peer) ||
	       count_of(registry, &peer) < registry->limits.per_address);
	registry->refused += !may;
	pthread_mutex_unlock(&registry->lock);
	return may;
}

static void count_up(struct conn_registry *registry, const struct peer *peer)
{
	unsigned *count = mx_map_find(&registry->per_address, peer_key(peer));

	if (!count) {
		count = mx_calloc(1, sizeof(*count));
		mx_map_put(&registry->per_address, peer_key(peer), count);
	}
	(*count)++;
}

static void count_down(struct conn_registry *registry, const struct peer *peer)
{
	unsigned *count = mx_map_find(&registry->per_address, peer_key(peer));

	if (--*count == 0)
		mx_free(mx_map_remove(&registry->per_address, peer_key(peer)));
}

struct http_conn *conn_open(struct conn_registry *registry, int fd, const struct sockaddr *address)
{
	struct http_conn *conn = mx_calloc(1, sizeof(*conn));

	conn->fd = fd;
	conn->peer = peer_of(address);
	peer_format(&conn->peer, conn->client);
	conn->trusted = peer_ranges_have(registry->trusted, &conn->peer);
	conn->seen_ms = mx_mono_ms();
	pthread_mutex_lock(&registry->lock);
	conn->counted = is_counted(registry, &conn->peer);
	if (conn->counted)
		count_up(registry, &conn->peer);
	conn->next = registry->first;
	if (conn->next)
		conn->next->prev = conn;
	registry->first = conn;
	registry->len++;
	pthread_mutex_unlock(&registry->lock);
	return conn;
}

void conn_close(struct conn_registry *registry, struct http_conn *conn)
{
	pthread_mutex_lock(&registry->lock);
	if (conn->counted)
		count_down(registry, &conn->peer);
	if (conn->next)
		conn->next->prev = conn->prev;
	if (conn->prev)
		conn->prev->next = conn->next;
	else
		registry->first = conn->next;
	registry->len--;
	pthread_mutex_unlock(&registry->lock);
	mx_free(conn);
}

/* ---- the watchdog */

static enum conn_phase phase_of(uint32_t mark)
{
	return (enum conn_phase)(mark & 7);
}

/* How many bytes went the way that the phase waits for. */
static uint64_t progress_of(struct http_conn *conn, enum conn_phase phase)
{
	if (phase == CONN_BODY)
		return atomic_load_explicit(&conn->received, memory_order_relaxed);
	return socket_bytes_acked(conn->fd);
}

static void note_phase(struct http_conn *conn, uint32_t mark, int64_t now_ms)
{
	enum conn_phase phase = phase_of(mark);

	conn->seen_mark = mark;
	conn->seen_ms = now_ms;
	conn->header_ms = 0;
	conn->window_ms = now_ms;
	if (phase == CONN_BODY || phase == CONN_REPLY)
		conn->window_bytes = progress_of(conn, phase);
}

/* Data that arrived since the connection fell idle can only be the next header. */
static bool header_is_late(const struct conn_limits *limits, struct http_conn *conn, int64_t now_ms)
{
	if (conn->header_ms == 0 && socket_ms_since_data(conn->fd) < now_ms - conn->seen_ms)
		conn->header_ms = now_ms;
	return conn->header_ms != 0 && now_ms - conn->header_ms > limits->header_ms;
}

static bool is_too_slow(const struct conn_limits *limits, struct http_conn *conn,
			enum conn_phase phase, int64_t now_ms)
{
	int64_t window = now_ms - conn->window_ms;
	uint64_t bytes;

	if (window < limits->body_ms)
		return false;
	bytes = progress_of(conn, phase);
	if (bytes - conn->window_bytes < (uint64_t)window * RATE_MIN / 1000)
		return true;
	conn->window_ms = now_ms;
	conn->window_bytes = bytes;
	return false;
}

static bool is_late(const struct conn_limits *limits, struct http_conn *conn, int64_t now_ms)
{
	uint32_t mark = atomic_load_explicit(&conn->mark, memory_order_relaxed);

	if (mark != conn->seen_mark) {
		note_phase(conn, mark, now_ms);
		return false;
	}
	switch (phase_of(mark)) {
	case CONN_OPEN: return now_ms - conn->seen_ms > limits->header_ms;
	case CONN_BODY:
	case CONN_REPLY: return is_too_slow(limits, conn, phase_of(mark), now_ms);
	case CONN_BUSY: return false;
	case CONN_IDLE:
		return now_ms - conn->seen_ms > limits->idle_ms ||
		       header_is_late(limits, conn, now_ms);
	}
	return false;
}

void conn_watch(struct conn_registry *registry, int64_t now_ms)
{
	pthread_mutex_lock(&registry->lock);
	for (struct http_conn *conn = registry->first; conn; conn = conn->next) {
		if (conn->late || !is_late(&registry->limits, conn, now_ms))
			continue;
		/* The library notices, closes, and calls conn_close() before the descriptor
		 * can be anybody else's. */
		conn->late = true;
		registry->late++;
		shutdown(conn->fd, SHUT_RDWR);
	}
	pthread_mutex_unlock(&registry->lock);
}

static int64_t tick_ms(const struct conn_limits *limits)
{
	int64_t least = limits->header_ms;

	if (limits->body_ms < least)
		least = limits->body_ms;
	if (limits->idle_ms < least)
		least = limits->idle_ms;
	least /= 8;
	if (least < TICK_MIN_MS)
		return TICK_MIN_MS;
	return least > TICK_MAX_MS ? TICK_MAX_MS : least;
}

static void *watchdog_main(void *ctx)
{
	struct conn_registry *registry = ctx;
	int64_t tick = tick_ms(&registry->limits);

	pthread_mutex_lock(&registry->lock);
	while (!registry->stopping) {
		struct timespec until = mx_after_us(tick * 1000);

		pthread_cond_timedwait(&registry->wake, &registry->lock, &until);
		pthread_mutex_unlock(&registry->lock);
		conn_watch(registry, mx_mono_ms());
		pthread_mutex_lock(&registry->lock);
	}
	pthread_mutex_unlock(&registry->lock);
	return NULL;
}

struct conn_registry *conn_registry_new(const struct conn_limits *limits,
					const struct peer_ranges *trusted)
{
	struct conn_registry *registry = mx_calloc(1, sizeof(*registry));

	pthread_mutex_init(&registry->lock, NULL);
	mx_cond_init(&registry->wake);
	registry->limits = *limits;
	registry->trusted = trusted;
	registry->watchdog = mx_thread_start("http-watch", watchdog_main, registry);
	return registry;
}

void conn_registry_free(struct conn_registry *registry)
{
	if (!registry)
		return;
	pthread_mutex_lock(&registry->lock);
	registry->stopping = true;
	pthread_cond_signal(&registry->wake);
	pthread_mutex_unlock(&registry->lock);
	pthread_join(registry->watchdog, NULL);
	mx_map_done(&registry->per_address, mx_free);
	pthread_cond_destroy(&registry->wake);
	pthread_mutex_destroy(&registry->lock);
	mx_free(registry);
}

unsigned conn_count(struct conn_registry *registry)
{
	unsigned len;

	pthread_mutex_lock(&registry->lock);
	len = registry->len;
	pthread_mutex_unlock(&registry->lock);
	return len;
}

static bool is_active(const struct http_conn *conn)
{
	enum conn_phase phase = phase_of(atomic_load(&conn->mark));

	return phase != CONN_OPEN && phase != CONN_IDLE;
}

unsigned conn_active_count(struct conn_registry *registry)
{
	unsigned count = 0;

	pthread_mutex_lock(&registry->lock);
	for (const struct http_conn *conn = registry->first; conn; conn = conn->next)
		count += is_active(conn);
	pthread_mutex_unlock(&registry->lock);
	return count;
}

static int64_t read_locked(struct conn_registry *registry, const int64_t *number)
{
	int64_t value;

	pthread_mutex_lock(&registry->lock);
	value = *number;
	pthread_mutex_unlock(&registry->lock);
	return value;
}

int64_t conn_refused_count(struct conn_registry *registry)
{
	return read_locked(registry, &registry->refused);
}

int64_t conn_late_count(struct conn_registry *registry)
{
	return read_locked(registry, &registry->late);
}
