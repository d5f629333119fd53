/* What somebody who asks for a token says, and whether they get one. */
#pragma once

#include "homeserver/account/address_channel.h"

struct address_remote;
struct phone;
struct req;

/* All of a request for a mail. -MX_SERVER_NOT_TRUSTED, -MX_MEDIUM_NOT_SUPPORTED,
 * -MX_THREEPID_DENIED, -MX_INVALID_PARAM; where that is told: -MX_THREEPID_IN_USE,
 * -MX_THREEPID_NOT_FOUND. */
int address_request_email(struct req *r, enum address_purpose purpose,
			  struct validation_request *ret_request);
/* Of request->session.address_as_sent: its canonical form, and the channel that it gets. */
int address_request_check(struct req *r, enum address_purpose purpose,
			  struct validation_request *request);

/* The identity server that sends the text message, and all the rest. */
int address_request_remote(struct req *r, struct address_remote *ret_remote);
int address_request_msisdn(struct req *r, enum address_purpose purpose,
			   struct validation_request *ret_request, struct phone *ret_phone);
