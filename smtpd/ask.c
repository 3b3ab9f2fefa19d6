/*
 * ask.c - requests to auth and queue.
 */
#include <assert.h>
#include <string.h>

#include "smtpd/handler.h"

int
ask(struct session *s, struct msg *m)
{
	assert(s->awaits == MSG_NONE && msg_answer_to(m->type) != MSG_NONE);
	m->tag = s->id;
	s->awaits = msg_answer_to(m->type);
	s->unheard = !s->world->send(m);
	return WAIT;
}

bool
expect(struct session *s, struct msg *m)
{
	assert(s->expects == MSG_NONE && msg_answer_to(m->type) != MSG_NONE);
	m->tag = s->id;
	if (!s->world->send(m))
		return false;
	s->expects = msg_answer_to(m->type);
	return true;
}

int
await_expected(struct session *s)
{
	assert(s->awaits == MSG_NONE && s->expects != MSG_NONE);
	s->awaits = s->expects;
	s->expects = MSG_NONE;
	return WAIT;
}

void
no_answer(struct msg *m, enum msg_type type)
{
	static const char text[] = "our fault; try again in a minute";
	struct {
		uint32_t *verdict, *code;
		char *status, *text;
	} f;

	memset(m, 0, sizeof(*m));
	m->type = type;
	switch (type) {
	case MSG_AUTH_RESULT:
		f.verdict = &m->u.auth_result.verdict;
		f.code = &m->u.auth_result.code;
		f.status = m->u.auth_result.status;
		f.text = m->u.auth_result.text;
		break;
	case MSG_ALLOWED:
		f.verdict = &m->u.allowed.verdict;
		f.code = &m->u.allowed.code;
		f.status = m->u.allowed.status;
		f.text = m->u.allowed.text;
		break;
	case MSG_TX_FILE_LENT:
		f.verdict = &m->u.tx_file_lent.verdict;
		f.code = &m->u.tx_file_lent.code;
		f.status = m->u.tx_file_lent.status;
		f.text = m->u.tx_file_lent.text;
		break;
	default:
		assert(type == MSG_TX_RESULT);
		f.verdict = &m->u.tx_result.verdict;
		f.code = &m->u.tx_result.code;
		f.status = m->u.tx_result.status;
		f.text = m->u.tx_result.text;
		break;
	}
	*f.verdict = V_TEMP;
	*f.code = type == MSG_AUTH_RESULT ? 454 : 451;
	strcpy(f.status, type == MSG_AUTH_RESULT ? "4.7.0" : "4.3.0");
	strcpy(f.text, text);
}
