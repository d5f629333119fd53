/* libmicrohttpd's callbacks: from its events to an exchange and back. */
#pragma once

#include <microhttpd.h>

/* cls is the struct http_server of all of them. */
void *glue_target(void *cls, const char *target, struct MHD_Connection *mhd);
enum MHD_Result glue_request(void *cls, struct MHD_Connection *mhd, const char *url,
			     const char *method, const char *version, const char *data,
			     size_t *data_len, void **context);
void glue_completed(void *cls, struct MHD_Connection *mhd, void **context,
		    enum MHD_RequestTerminationCode code);
void glue_connection(void *cls, struct MHD_Connection *mhd, void **context,
		     enum MHD_ConnectionNotificationCode code);
enum MHD_Result glue_accept(void *cls, const struct sockaddr *address, socklen_t len);

/* X-Matrix signs the raw target, and "%2F" must reach the router: nothing is unescaped. */
size_t glue_unescape(void *cls, struct MHD_Connection *mhd, char *text);
