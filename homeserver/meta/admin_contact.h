/* Whom users may turn to when the server has no room for them.
 * Spec: client-server API, "Other error codes", M_RESOURCE_LIMIT_EXCEEDED. */
#pragma once

struct req;

/* A URI, of r->mem or of the configuration: of the first contact that /.well-known/matrix/support
 * names, else the page with help, else where the server is. */
const char *admin_contact(struct req *r);
