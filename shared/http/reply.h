/* From what the handler set to bytes on the connection. */
#pragma once

#include "shared/http/request.h"

struct MHD_Connection;
struct exchange;

/* Forgets the reply and its memory. */
void reply_clear(struct exchange *ex);

/* Makes the reply the error object of rc and ex->req.err. */
void reply_error(struct exchange *ex, int rc);

/* Turns JSON into bytes: to be done before the I/O thread gets it. */
void reply_seal(struct exchange *ex);

/* Hands the sealed reply to the library; on the I/O thread. False: close the connection. */
bool reply_send(struct exchange *ex);
