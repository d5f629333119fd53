#include "homeserver/room/topic.h"

json_t *topic_content(const char *topic)
{
	return json_pack("{s:s, s:{s:[{s:s, s:s}]}}", "topic", topic, "m.topic", "m.text",
			 "mimetype", "text/plain", "body", topic);
}
