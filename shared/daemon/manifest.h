/* What a backup's directory holds: store/, files/ and this description. */
#pragma once

#define MANIFEST_NAME      "manifest.json"
#define MANIFEST_FORMAT    1
#define MANIFEST_BYTES_MAX (256u * 1024)
