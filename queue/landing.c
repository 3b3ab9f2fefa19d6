/*
 * landing.c - see landing.h.
 */
#include <stdio.h>
#include <string.h>

#include "lib/log.h"
#include "lib/loop.h"
#include "mail/ascii.h"
#include "queue/landing.h"

/* The k-th recipient that was sent. */
static struct rcpt *
sent_rcpt(struct job *j, unsigned k)
{
	for (unsigned i = 0; i < j->nrcpts; i++)
		if (j->rcpts[i].state == RCPT_WAITING && k-- == 0)
			return &j->rcpts[i];
	fatal("deliver broke the protocol: recipient out of range");
}

/* What stands between blanks in the log, whatever deliver has become. */
static void
copy_word(char *to, size_t size, const char *from)
{
	size_t n = 0;

	for (; from[n] != '\0' && n + 1 < size; n++)
		to[n] = (char)(ascii_print(from[n]) && from[n] != ' ' &&
			    from[n] != '"' && from[n] != '='
			? from[n]
			: '?');
	to[n] = '\0';
}

void
landing_note(struct job *j, const struct msg_job_verdict *v)
{
	struct answer_row a = { .code = v->code,
		.when = (uint64_t)loop_wall_ms() };
	char tls[sizeof(v->tls)], cipher[sizeof(v->cipher)];
	char policy[sizeof(v->policy)];
	uint8_t answer;

	if (v->rcpts.len == 0)
		return;
	copy_word(a.status, sizeof(a.status), v->status);
	memcpy(a.mx, v->mx, sizeof(a.mx));
	copy_word(tls, sizeof(tls), v->tls);
	copy_word(cipher, sizeof(cipher), v->cipher);
	copy_word(policy, sizeof(policy), v->policy);
	answer_secured(&a, tls, cipher, policy);
	if (v->uncertain)
		answer_mark_uncertain(&a);
	memcpy(a.text, v->text, sizeof(a.text));
	answer = job_add_answer(j, &a);
	for (size_t i = 0; i < v->rcpts.len; i++) {
		struct rcpt *r = sent_rcpt(j, v->rcpts.data[i]);

		if (r->verdict != NO_VERDICT)
			fatal("deliver broke the protocol: second verdict");
		r->verdict = (uint8_t)v->verdict;
		r->answer = answer;
		r->relayed = (uint8_t)v->relayed;
		r->uncertain = v->uncertain != 0;
		r->grey = (v->signs & SIGN_GREY) != 0;
	}
}

void
landing_answer_rest(
    struct job *j, enum verdict verdict, const char *status, const char *text)
{
	struct answer_row a = { .when = (uint64_t)loop_wall_ms() };
	uint8_t answer;

	snprintf(a.status, sizeof(a.status), "%s", status);
	snprintf(a.text, sizeof(a.text), "%s", text);
	answer = job_add_answer(j, &a);
	for (unsigned i = 0; i < j->nrcpts; i++) {
		struct rcpt *r = &j->rcpts[i];

		if (r->state != RCPT_WAITING || r->verdict != NO_VERDICT)
			continue;
		r->verdict = (uint8_t)verdict;
		r->answer = answer;
	}
}

enum landing
landing_of(const struct job *j, const struct msg_job_verdict *v)
{
	bool busy = (v->signs & SIGN_BUSY) != 0;

	for (unsigned i = 0; i < j->nrcpts; i++)
		if (j->rcpts[i].verdict == V_OK)
			return busy ? LANDED_SQUEEZED : LANDED_WELL;
	if (busy)
		return LANDED_BUSY;
	if (v->verdict != V_TEMP || v->scope != SCOPE_DEST)
		return LANDED_ANSWERED;
	return v->signs & SIGN_SILENT ? LANDED_NOWHERE : LANDED_ASTRAY;
}

bool
landing_heard(const struct job *j)
{
	for (unsigned i = 0; i < j->nrcpts; i++)
		if (j->rcpts[i].verdict != NO_VERDICT)
			return true;
	return false;
}
