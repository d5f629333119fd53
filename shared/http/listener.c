#include "shared/http/listener.h"

#include "shared/core/alloc.h"
#include "shared/core/str.h"
#include "shared/core/thread.h"
#include "shared/crypto/tls.h"
#include "shared/http/glue.h"
#include "shared/http/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG     1024
#define UNIX_MODE   0660
#define UNIX_PREFIX "unix:"
/* Room for 8 KiB of request line and headers, of which one may have 7, and for what the library
 * notes of them. It clears all of it after every request, so a kept connection that waits takes
 * all. */
#define CONNECTION_MEMORY (16 * 1024)

static int refuse(const struct http_listen *where, struct mx_error *err)
{
	return mx_fail(err, MX_BAD_CONFIG, "Cannot listen on %s port %u: %s", where->address,
		       where->port, strerror(errno));
}

/* ---- unix sockets */

/* A socket file that nobody answers on was left by a killed process. */
static void remove_stale(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) != 0 &&
	    errno == ECONNREFUSED)
		unlink(address->sun_path);
	close(fd);
}

static bool bind_unix(int fd, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return false;
	}
	memcpy(address.sun_path, path, strlen(path));
	remove_stale(&address);
	/* Linux makes the file with the mode of the socket, so it is never open for longer. */
	return fchmod(fd, UNIX_MODE) == 0 &&
	       bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 &&
	       chmod(path, UNIX_MODE) == 0;
}

static int open_unix(struct listener *listener, const char *path)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	if (!bind_unix(fd, path)) {
		close(fd);
		return -1;
	}
	listener->path = mx_strdup(path);
	return fd;
}

/* ---- TCP */

static socklen_t address_of(const struct http_listen *where, struct sockaddr_storage *ret_address)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret_address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret_address;

	memset(ret_address, 0, sizeof(*ret_address));
	if (inet_pton(AF_INET, where->address, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(where->port);
		return sizeof(*v4);
	}
	if (inet_pton(AF_INET6, where->address, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(where->port);
		return sizeof(*v6);
	}
	errno = EINVAL;
	return 0;
}

/* "::" also takes IPv4. */
static bool set_options(int fd, int family)
{
	int on = 1, off = 0;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0)
		return false;
	return family != AF_INET6 ||
	       setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) == 0;
}

static int open_tcp(const struct http_listen *where)
{
	struct sockaddr_storage address;
	socklen_t len = address_of(where, &address);
	int fd;

	if (len == 0)
		return -1;
	fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	if (set_options(fd, address.ss_family) &&
	    bind(fd, (const struct sockaddr *)&address, len) == 0)
		return fd;
	close(fd);
	return -1;
}

static uint16_t port_of(int fd)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);

	if (getsockname(fd, (struct sockaddr *)&address, &len) != 0)
		return 0;
	if (address.ss_family == AF_INET)
		return ntohs(((struct sockaddr_in *)&address)->sin_port);
	if (address.ss_family == AF_INET6)
		return ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
	return 0;
}

int listener_open(struct listener *listener, const struct http_listen *where, struct mx_error *err)
{
	bool is_unix = mx_starts_with(where->address, UNIX_PREFIX);

	listener->fd = is_unix ? open_unix(listener, where->address + strlen(UNIX_PREFIX))
			       : open_tcp(where);
	if (listener->fd < 0 || listen(listener->fd, BACKLOG) != 0)
		return refuse(where, err);
	listener->port = port_of(listener->fd);
	return 0;
}

/* ---- the library */

static struct MHD_OptionItem strictness(void)
{
#if MHD_VERSION >= 0x00097701
	/* 3: stricter than the RFCs allow, but whoever keeps to them notices nothing. */
	return (struct MHD_OptionItem){ MHD_OPTION_CLIENT_DISCIPLINE_LVL, 3, NULL };
#else
	return (struct MHD_OptionItem){ MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL };
#endif
}

static struct MHD_Daemon *daemon_start(struct listener *listener, struct http_server *server,
				       const struct http_conf *conf, bool tls)
{
	unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_TURBO |
			 (tls ? MHD_USE_TLS : 0);
	struct MHD_OptionItem tls_options[] = {
		{ MHD_OPTION_HTTPS_CERT_CALLBACK2, 0, (void *)mx_tls_retrieve },
		{ MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)mx_tls_priorities },
		{ MHD_OPTION_END, 0, NULL },
		{ MHD_OPTION_END, 0, NULL },
	};
	struct MHD_OptionItem pool[] = {
		{ MHD_OPTION_THREAD_POOL_SIZE, (intptr_t)conf->io_threads, NULL },
		{ MHD_OPTION_END, 0, NULL },
	};
	struct MHD_OptionItem strict[] = { strictness(), { MHD_OPTION_END, 0, NULL } };

	/* With authorities the library asks clients for a certificate; nobody must have one. */
	if (conf->peer_authorities) {
		tls_options[0].ptr_value = (void *)mx_tls_retrieve_peers;
		tls_options[2] = (struct MHD_OptionItem){
			MHD_OPTION_HTTPS_MEM_TRUST, 0, (void *)(uintptr_t)conf->peer_authorities
		};
	}
	if (!tls)
		tls_options[0] = tls_options[3];
	if (conf->io_threads == 1)
		pool[0] = pool[1];
	return MHD_start_daemon(
		flags, 0, glue_accept, server, glue_request, server, MHD_OPTION_LISTEN_SOCKET,
		listener->fd, MHD_OPTION_URI_LOG_CALLBACK, glue_target, server,
		MHD_OPTION_UNESCAPE_CALLBACK, glue_unescape, server, MHD_OPTION_NOTIFY_COMPLETED,
		glue_completed, server, MHD_OPTION_NOTIFY_CONNECTION, glue_connection, server,
		MHD_OPTION_CONNECTION_LIMIT, conf->connections_max + conf->io_threads,
		MHD_OPTION_CONNECTION_TIMEOUT, 0u, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)CONNECTION_MEMORY, MHD_OPTION_THREAD_STACK_SIZE, (size_t)MX_THREAD_STACK,
		MHD_OPTION_ARRAY, strict, MHD_OPTION_ARRAY, pool, MHD_OPTION_ARRAY, tls_options,
		MHD_OPTION_END);
}

int listener_start(struct listener *listener, struct http_server *server,
		   const struct http_conf *conf, bool tls, struct mx_error *err)
{
	sigset_t all, before;

	/* The library's threads inherit this: signals are the main thread's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	listener->daemon = daemon_start(listener, server, conf, tls);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!listener->daemon)
		return mx_fail(err, MX_BAD_CONFIG, "The HTTP library could not start%s",
			       tls ? " with TLS" : "");
	listener->fd = -1;
	return 0;
}

void listener_quiesce(struct listener *listener)
{
	if (!listener->daemon)
		return;
	listener->fd = MHD_quiesce_daemon(listener->daemon);
	/* Clients are refused at once. Threads of the library may still use the descriptor, so its
	 * number must not become anybody else's before they have ended. */
	if (listener->fd >= 0)
		shutdown(listener->fd, SHUT_RDWR);
}

void listener_close(struct listener *listener)
{
	if (listener->daemon)
		MHD_stop_daemon(listener->daemon);
	if (listener->fd >= 0)
		close(listener->fd);
	if (listener->path)
		unlink(listener->path);
	mx_free(listener->path);
}
