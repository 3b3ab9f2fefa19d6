/* Outcomes of recipients: each told once, those alike together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "deliver/job.h"
#include "deliver/trial.h"
#include "ipc/part.h"

static uint8_t rcpts[ADDR_SIZE * 4];

static struct msg
job_message(void)
{
	struct msg m = { .type = MSG_JOB, .tag = 9 };
	size_t n = 0;

	for (int i = 0; i < 4; i++)
		n = list_add(rcpts, sizeof(rcpts), n, "b@example.net", 13);
	strcpy(m.u.job.domain, "example.net");
	strcpy(m.u.job.sender, "a@example.org");
	m.u.job.rcpts = (struct bytes){ rcpts, n };
	m.u.job.added = (struct bytes){ (const uint8_t *)"A: b\r\n", 6 };
	m.u.job.body = (struct bytes){ (const uint8_t *)"\r\nhi\r\n", 6 };
	m.u.job.size = 6;
	return m;
}

struct heard {
	int n, last;
	uint64_t tag[8];
	struct msg_job_verdict v[8];
	uint8_t whose[8][JOB_RCPTS];
};

static void
hear(void *arg, const struct part *p, const struct msg *m)
{
	struct heard *h = arg;

	assert_int_equal(m->type, MSG_JOB_VERDICT);
	assert_int_equal(m->tag, p->tag);
	h->tag[h->n] = m->tag;
	h->v[h->n] = m->u.job_verdict;
	memcpy(h->whose[h->n], m->u.job_verdict.rcpts.data,
	    m->u.job_verdict.rcpts.len);
	h->last += m->u.job_verdict.last;
	h->n++;
}

static void
everything_is_copied(void **state)
{
	struct msg m = job_message();
	struct job *j = job_new(&m, -1);

	(void)state;
	memset(rcpts, 'x', sizeof(rcpts));
	memset(&m, 'x', sizeof(m));
	assert_int_equal(j->nrcpts, 4);
	assert_int_equal(j->open, 4);
	assert_string_equal(j->rcpts[3], "b@example.net");
	assert_string_equal(j->sender, "a@example.org");
	assert_string_equal(j->domain, "example.net");
	assert_int_equal(letter_size(&j->letter), 12);
	job_free(j);
}

static void
equal_outcomes_share_a_record(void **state)
{
	struct msg m = job_message();
	struct job *j = job_new(&m, -1);
	struct outcome ok =
	    outcome_make(V_OK, SCOPE_RCPT, 250, "2.0.0", "fine");
	struct outcome no =
	    outcome_make(V_PERM, SCOPE_RCPT, 550, "5.1.1", "unknown");
	struct heard h = { 0 };

	(void)state;
	job_settle(j, 1, &no);
	job_settle_rest(j, &ok);
	job_report(j, hear, &h);
	assert_int_equal(h.n, 2);
	assert_int_equal(h.last, 1);
	assert_int_equal(h.v[1].last, 1);
	assert_int_equal(h.v[0].rcpts.len, 1);
	assert_int_equal(h.whose[0][0], 1);
	assert_int_equal(h.v[0].code, 550);
	assert_int_equal(h.v[1].rcpts.len, 3);
	assert_memory_equal(h.whose[1], ((uint8_t[]){ 0, 2, 3 }), 3);
	job_report(j, hear, &h);
	assert_int_equal(h.n, 2);
	job_free(j);
}

static void
a_part_is_told_ahead(void **state)
{
	struct msg m = job_message();
	struct job *j = job_new(&m, -1);
	struct outcome ok =
	    outcome_make(V_OK, SCOPE_RCPT, 250, "2.0.0", "fine");
	struct heard h = { 0 };

	(void)state;
	job_settle(j, 2, &ok);
	job_report(j, hear, &h);
	assert_int_equal(h.n, 1);
	assert_int_equal(h.last, 0);
	assert_false(job_open(j, 2));
	job_settle_rest(j, &ok);
	job_report(j, hear, &h);
	assert_int_equal(h.n, 2);
	assert_int_equal(h.v[1].rcpts.len, 3);
	assert_int_equal(h.v[1].last, 1);
	job_free(j);
}

/* Of the four recipients the last belongs to another job of the queue. */
static struct msg
two_jobs(void)
{
	static uint8_t list[PART_ITEM_MAX + 2];
	struct part_item p = {
		.tag = 11, .n = 5, .seal = 17, .attempt = 3, .nrcpts = 1
	};
	uint8_t item[PART_ITEM_MAX];
	struct msg m = job_message();

	m.u.job.seal = 13;
	strcpy(p.domain, "example.com");
	m.u.job.parts.len =
	    list_add(list, sizeof(list), 0, item, part_pack(&p, item));
	m.u.job.parts.data = list;
	return m;
}

static void
part_claims(struct msg *m, uint32_t nrcpts)
{
	static uint8_t list[PART_ITEM_MAX + 2];
	struct part_item p = { .tag = 11, .nrcpts = nrcpts };
	uint8_t item[PART_ITEM_MAX];

	m->u.job.parts.len =
	    list_add(list, sizeof(list), 0, item, part_pack(&p, item));
	m->u.job.parts.data = list;
}

static void
each_part_has_its_own_verdicts(void **state)
{
	struct msg m = two_jobs();
	struct job *j = job_new(&m, -1);
	struct outcome ok =
	    outcome_make(V_OK, SCOPE_RCPT, 250, "2.0.0", "fine");
	struct outcome no =
	    outcome_make(V_PERM, SCOPE_RCPT, 550, "5.1.1", "unknown");
	struct heard h = { 0 };

	(void)state;
	assert_int_equal(j->nparts, 2);
	assert_int_equal(j->parts[0].nrcpts, 3);
	assert_int_equal(j->parts[1].first, 3);
	assert_int_equal(j->parts[1].n, 5);
	assert_int_equal(j->parts[0].seal, 13);
	assert_int_equal(j->parts[1].seal, 17);
	assert_int_equal(j->parts[1].attempt, 3);
	assert_string_equal(j->parts[0].domain, "example.net");
	assert_string_equal(j->parts[1].domain, "example.com");
	job_settle(j, 3, &no);
	job_settle(j, 1, &no);
	job_report(j, hear, &h);
	assert_int_equal(h.n, 2);
	assert_int_equal(h.tag[0], 9);
	assert_int_equal(h.whose[0][0], 1);
	assert_int_equal(h.v[0].last, 0);
	assert_int_equal(h.tag[1], 11);
	assert_int_equal(h.whose[1][0], 0);
	assert_int_equal(h.v[1].last, 1);
	job_settle_rest(j, &ok);
	job_report(j, hear, &h);
	assert_int_equal(h.n, 3);
	assert_int_equal(h.tag[2], 9);
	assert_memory_equal(h.whose[2], ((uint8_t[]){ 0, 2 }), 2);
	assert_int_equal(h.v[2].last, 1);
	job_free(j);
}

static void
class_of_status_is_that_of_the_verdict(void **state)
{
	struct outcome o;

	(void)state;
	o = outcome_make(V_TEMP, SCOPE_DEST, 0, "5.4.1", "%s", "x");
	assert_string_equal(o.status, "4.4.1");
	o = outcome_make(V_PERM, SCOPE_DEST, 554, "5.7.1", "x");
	outcome_soften(&o);
	assert_int_equal(o.verdict, V_TEMP);
	assert_string_equal(o.status, "4.7.1");
	assert_int_equal(o.code, 554);
}

/* A queue that breaks the contract ends this process. */
static void
malformed_jobs_are_fatal(void **state)
{
	(void)state;
	for (int flaw = 0; flaw < 8; flaw++) {
		struct msg m = job_message();
		int status, fd = -1;
		pid_t pid;

		switch (flaw) {
		case 0:
			m.u.job.rcpts.len = 0;
			break;
		case 1:
			m.u.job.rcpts.len--;
			break;
		case 2:
			memcpy(rcpts + 2, "b\r\nDATA\r\n", 9);
			break;
		case 3:
			strcpy(m.u.job.sender, "a@b>\n");
			break;
		case 4:
			m.u.job.size++;
			break;
		case 5:
			m.u.job.flags = TX_IN_FILE;
			break;
		case 6:
			m = two_jobs();
			m.u.job.parts.len--;
			break;
		case 7: /* all of the recipients are the other job's */
			m = two_jobs();
			part_claims(&m, 4);
			break;
		}
		fflush(NULL);
		pid = fork();
		if (pid == 0) {
			close(2);
			job_new(&m, fd);
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	}
}

/* What `postern relay-test` asks about becomes a command like any other. */
static void
no_trial_says_two_commands(void **state)
{
	static const char *const targets[] = { "", "@", "a@", "two words",
		"a@example.net>\r\nDATA", "example.net\r\nDATA",
		"a\n@example.net", "a b@example.net", "a@example.net@" };

	(void)state;
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		struct msg_relay_test ask = { .account = "" };

		snprintf(ask.target, sizeof(ask.target), "%s", targets[i]);
		assert_null(trial_start(&ask, NULL, NULL, NULL));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_is_copied),
		cmocka_unit_test(equal_outcomes_share_a_record),
		cmocka_unit_test(a_part_is_told_ahead),
		cmocka_unit_test(each_part_has_its_own_verdicts),
		cmocka_unit_test(class_of_status_is_that_of_the_verdict),
		cmocka_unit_test(malformed_jobs_are_fatal),
		cmocka_unit_test(no_trial_says_two_commands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
