#include "shared/core/error.h"
#include "shared/core/str.h"
#include "shared/daemon/admin_address.h"
#include "shared/daemon/daemon.h"

#include <curl/curl.h>

#define CONNECT_MS 3000L
#define TOTAL_MS   (6L * 3600 * 1000) /* a large backup */
#define ANSWER_MAX (64u * 1024 * 1024)

static size_t take_piece(char *bytes, size_t size, size_t count, void *ctx)
{
	struct mx_str *answer = ctx;

	if (answer->len + size * count > ANSWER_MAX)
		return 0;
	mx_str_add(answer, bytes, size * count);
	return size * count;
}

static void set_address(CURL *curl, const struct admin_address *address, const char *path,
			struct mx_str *url)
{
	bool is_v6 = strchr(address->host, ':') != NULL;

	if (address->is_unix) {
		curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, address->host + strlen("unix:"));
		mx_str_addf(url, "http://localhost%s", path);
	} else {
		mx_str_addf(url, "http://%s%s%s:%u%s", is_v6 ? "[" : "", address->host,
			    is_v6 ? "]" : "", (unsigned)address->port, path);
	}
	curl_easy_setopt(curl, CURLOPT_URL, url->ptr);
}

static void set_body(CURL *curl, const char *method, const char *body)
{
	if (body) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(body));
	}
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
}

static CURLcode perform(CURL *curl, const struct admin_address *address, const char *path,
			struct mx_str *answer)
{
	mx_str_auto url = { 0 };
	struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
	CURLcode rc;

	set_address(curl, address, path, &url);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http");
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, TOTAL_MS);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_piece);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
	rc = curl_easy_perform(curl);
	curl_slist_free_all(headers);
	return rc;
}

int daemon_ask(const struct daemon_conf *conf, const char *method, const char *path,
	       const char *body, int *ret_status, char **ret_text, struct mx_error *err)
{
	struct admin_address address;
	struct mx_str answer = { 0 };
	long status = 0;
	CURL *curl;
	CURLcode rc;
	int refused = admin_address_parse(conf->admin, &address, err);

	if (refused)
		return refused;
	curl = curl_easy_init();
	if (!curl)
		return mx_fail(err, MX_REMOTE_FAILED, "libcurl does not start");
	set_body(curl, method, body);
	rc = perform(curl, &address, path, &answer);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_cleanup(curl);
	if (rc != CURLE_OK) {
		mx_str_done(&answer);
		return mx_fail(err, MX_REMOTE_FAILED,
			       "no answer at %s (%s): is the daemon running, and may you use its "
			       "admin listener?",
			       conf->admin, curl_easy_strerror(rc));
	}
	*ret_status = (int)status;
	*ret_text = mx_str_steal(&answer);
	return 0;
}
