#include "identity/source/source_kind.h"

void source_answer(const struct source_question *question, const struct threepid *as_written,
		   const char *user_id)
{
	struct threepid threepid;

	if (threepid_parse(as_written->medium, as_written->address, question->mem, &threepid, NULL))
		return;
	for (size_t i = 0; i < question->len; i++)
		if (!question->users[i] && threepid_same(&threepid, &question->threepids[i]))
			question->users[i] = user_id;
}
