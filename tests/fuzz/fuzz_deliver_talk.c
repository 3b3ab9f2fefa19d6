/*
 * A server says anything at any time: each recipient ends with exactly one
 * verdict, nothing is said out of turn, and no line that we send can be read
 * as two.
 *
 * The first two octets choose rules, recipients and message; then come octets
 * of the server, and those from 0xf8 on are events, see act().
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "deliver/talk.h"

enum { CUT = 0xff, LOST = 0xfe, LATE = 0xfd, NEXT = 0xfc, QUIT = 0xfb };

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static struct talk t;
static struct buf out;
static struct job *job;
static unsigned told[JOB_RCPTS], lasts;
static bool pipelined, cr;

static struct job *
make_job(unsigned choice, unsigned nrcpts)
{
	static const char *const bodies[] = {
		"Subject: x\r\n\r\n.\r\n..\r\nno end",
		"MIME-Version: 1.0\r\n\r\n\xc3\xbc\r\n",
		"Subject: \xc3\xbc\r\n\r\nno way\r\n",
		"",
	};
	/* An address beyond ASCII, with NOTIFY and ORCPT. */
	static const char wishes[] = "\xc3\xbc@example.net\0\2"
				     "utf-8;\xc3\xbc@example.com";
	static char long_body[60000];
	struct msg m = { .type = MSG_JOB, .tag = 1 };
	uint8_t rcpts[2048];
	size_t len = 0;
	const char *body = bodies[choice % 4];

	for (unsigned i = 0; i < nrcpts; i++)
		len = (choice & 8) && i > 0
		    ? list_add(
			  rcpts, sizeof(rcpts), len, wishes, sizeof(wishes) - 1)
		    : list_add(rcpts, sizeof(rcpts), len, "b@example.net", 13);
	strcpy(m.u.job.sender, "a@example.org");
	m.u.job.flags = choice % 4 == 1 || choice % 4 == 2 ? TX_8BIT : 0;
	if (choice & 8) {
		m.u.job.flags |= TX_SMTPUTF8 | TX_RET_FULL | TX_BY_NOTIFY;
		strcpy(m.u.job.options.envid, "a b");
		m.u.job.options.priority = 12;
		m.u.job.options.by = 1;
	}
	m.u.job.rcpts = (struct bytes){ rcpts, len };
	m.u.job.body = (struct bytes){ (const uint8_t *)body, strlen(body) };
	if (choice & 4) {
		memset(long_body, '.', sizeof(long_body));
		m.u.job.body =
		    (struct bytes){ (uint8_t *)long_body, sizeof(long_body) };
	}
	m.u.job.size = m.u.job.body.len;
	return job_new(&m, -1);
}

static void
tell(void *arg, const struct part *p, const struct msg *m)
{
	const struct msg_job_verdict *v = &m->u.job_verdict;

	(void)arg, (void)p;
	assert(v->verdict < V_COUNT && v->status[0] == "245"[v->verdict]);
	for (size_t i = 0; i < v->rcpts.len; i++)
		told[v->rcpts.data[i]]++;
	lasts += v->last;
}

/* The job came back: close its account. */
static void
check_job(void)
{
	if (job == NULL || talk_job(&t) != NULL)
		return;
	assert(job->open == 0 || t.failed);
	if (job->open > 0)
		job_settle_rest(job, &t.failure);
	memset(told, 0, sizeof(told));
	lasts = 0;
	job_report(job, tell, NULL);
	for (unsigned i = 0; i < job->nrcpts; i++)
		assert(told[i] == 1);
	assert(lasts == 1);
	job_free(job);
	job = NULL;
}

/* What we say leaves. */
static void
drain(void)
{
	const char *s = buf_data(&out);

	for (size_t i = 0; i < out.len; i++) {
		assert(s[i] != '\0' && (s[i] == '\n') == cr);
		cr = s[i] == '\r';
	}
	buf_consume(&out, out.len);
	talk_drained(&t);
}

static void
settle(void)
{
	for (;;) {
		pipelined = pipelined || (t.offers & OFFERS_PIPELINING);
		assert(t.nowed <= 1 || pipelined);
		check_job();
		switch (talk_wants(&t)) {
		case TALK_TLS:
			if (out.len > 0)
				drain();
			assert(out.len == 0);
			pipelined = false;
			talk_secured(&t, "TLSv1.3", "TLS_AES_128_GCM_SHA256");
			continue;
		case TALK_SECRET:
			talk_secret(&t, "geheim");
			continue;
		default:
			break;
		}
		if (out.len == 0 && !talk_hungry(&t))
			return;
		drain();
	}
}

static void
act(unsigned what, unsigned choice)
{
	bool idle = talk_wants(&t) == TALK_IDLE;

	if (what == LOST)
		talk_lost(&t, "lost");
	else if (what == LATE && talk_patience(&t) > 0)
		talk_timeout(&t);
	else if (what == NEXT && idle)
		talk_begin(&t, job = make_job(choice, 1 + choice % 5));
	else if (what == QUIT && idle)
		talk_quit(&t);
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
	struct talk_rules rules = {
		.helo = "me.example", .mx = "mx[::1]:25", .policy = "route"
	};
	size_t from;

	if (n < 2)
		return 0;
	rules.tls = (enum route_tls)(in[0] % 5);
	if (in[0] & 0x80) {
		strcpy(rules.user, "user");
		strcpy(rules.nonce, "0123456789abcdefghijklmn");
	}
	pipelined = cr = false;
	job = make_job(in[1], in[1] >> 4 == 15 ? JOB_RCPTS : 1 + (in[1] >> 4));
	talk_start(&t, &rules, &out, job);
	if (talk_wants(&t) == TALK_TLS)
		talk_secured(&t, "TLSv1.2", "TLS_AES_128_GCM_SHA256");
	for (size_t i = from = 2; i <= n; i++) {
		if (i < n && in[i] < QUIT)
			continue;
		/* Exactly these bytes, so that a sanitizer sees one more. */
		talk_input(&t, (const char *)in + from, i - from);
		settle();
		if (i < n)
			act(in[i], in[1]);
		settle();
		from = i + 1;
	}
	talk_lost(&t, "end");
	check_job();
	assert(job == NULL && talk_wants(&t) == TALK_CLOSE);
	talk_clear(&t);
	buf_release(&out);
	return 0;
}
