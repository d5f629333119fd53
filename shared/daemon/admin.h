/* The admin listener's routes. */
#pragma once

struct daemon;
struct req;
struct route;

/* The common routes and the app's, NULL-ended, as long as daemon->mem. The app's rows that have
 * no authentication of their own get admin_guard(). */
const struct route *const *admin_routes(struct daemon *daemon);

/* Refuses requests that a web page made some browser on this machine send. */
int admin_guard(struct req *r);
