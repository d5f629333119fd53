/* Both requestToken endpoints, from the request to the session. */
#pragma once

struct phone;
struct req;
struct validation_request;

/* asking_read() by this service's rules. */
int token_request_read(struct req *r, struct validation_request *ret_request);
int token_request_begin(struct req *r, const struct validation_request *request,
			const struct phone *phone);
int token_request_await(struct req *r);
