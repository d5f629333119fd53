/* What both requestToken endpoints have in common: parameters, and the wait for the relay. */
#pragma once

struct phone;
struct req;
struct validation_request;

/* client_secret, send_attempt, next_link, and who asks. -MX_INVALID_PARAM. */
int asking_read(struct req *r, struct validation_request *ret_request);

/* Begins the validation and waits for the first attempt to send, if anything is to be sent; phone
 * NULL: a mail. May park. Then the session's id is the answer, or the failure of the channel. */
int asking_begin(struct req *r, const struct validation_request *request,
		 const struct phone *phone);
/* A later run, which has r->kept. */
int asking_await(struct req *r);
