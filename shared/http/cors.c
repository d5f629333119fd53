#include "shared/http/cors.h"

#include <microhttpd.h>

void cors_add(struct MHD_Response *response)
{
	MHD_add_response_header(response, "Access-Control-Allow-Origin", "*");
	MHD_add_response_header(response, "Access-Control-Allow-Methods",
				"GET, POST, PUT, DELETE, OPTIONS");
	MHD_add_response_header(response, "Access-Control-Allow-Headers",
				"Origin, X-Requested-With, Content-Type, Accept, Authorization");
}

void hardening_add(struct MHD_Response *response, bool own_cache)
{
	MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	if (!own_cache)
		MHD_add_response_header(response, "Cache-Control", "no-store");
}
