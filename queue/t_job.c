/*
 * t_job.c - see t_job.h.
 */
#include <stdio.h>
#include <string.h>

#include "lib/log.h"
#include "queue/t_job.h"

/* clang-format off */
static const struct field fields[] = {
	F_STR(job_row, domain),
	F_U32(job_row, attempts),
	F_U32(job_row, noticed),
	F_U64(job_row, due),
	F_BYTES(job_row, rcpts, RCPTS_MAX),
	F_BYTES(job_row, answers, JOB_ANSWERS_MAX),
	F_END,
};

static const struct field answer_fields[] = {
	F_U32(answer_row, code),
	F_STR(answer_row, status),
	F_STR(answer_row, mx),
	F_STR(answer_row, tls),
	F_STR(answer_row, text),
	F_U64(answer_row, when),
	F_END,
};
/* clang-format on */

static void
make_key(uint8_t key[12], uint64_t id, uint32_t n)
{
	key_u64(key, id);
	key_u32(key + 8, n);
}

void
t_job_put(struct txn *t, uint64_t id, uint32_t n, const struct job_row *j)
{
	static uint8_t row[STORE_ROW_MAX];
	uint8_t key[12];
	size_t len = record_encode(fields, j, row, sizeof(row));

	if (len == 0)
		fatal("a job row is too long");
	make_key(key, id, n);
	store_put(t, T_JOB, key, sizeof(key), row, len);
}

static void
decode(struct job_row *j, const uint8_t *row, size_t len)
{
	if (!record_decode(fields, j, sizeof(*j), row, len))
		fatal("a job row is damaged");
}

bool
t_job_get(
    struct txn *t, uint64_t id, uint32_t n, struct job_row *j, uint8_t *buf)
{
	uint8_t key[12];
	size_t len;

	make_key(key, id, n);
	if (!store_get(t, T_JOB, key, sizeof(key), buf, STORE_ROW_MAX, &len))
		return false;
	decode(j, buf, len);
	return true;
}

bool
t_job_del(struct txn *t, uint64_t id, uint32_t n)
{
	uint8_t key[12];

	make_key(key, id, n);
	return store_del(t, T_JOB, key, sizeof(key));
}

struct walk {
	t_job_fn *cb;
	void *arg;
};

static bool
on_row(void *arg, const uint8_t *key, size_t key_len, const uint8_t *row,
    size_t len)
{
	struct walk *w = arg;
	struct job_row j;

	(void)key_len;
	decode(&j, row, len);
	return w->cb(
	    w->arg, key_get(key, 8), (uint32_t)key_get(key + 8, 4), &j);
}

bool
t_job_walk(struct txn *t, uint64_t id, uint32_t n, t_job_fn *cb, void *arg)
{
	struct walk w = { cb, arg };
	uint8_t key[12];

	make_key(key, id, n);
	return store_walk(t, T_JOB, key, sizeof(key), on_row, &w);
}

size_t
answer_pack(const struct answer_row *a, uint8_t *out, size_t size)
{
	return record_encode(answer_fields, a, out, size);
}

bool
answer_unpack(struct answer_row *a, struct bytes item)
{
	return record_decode(answer_fields, a, sizeof(*a), item.data, item.len);
}

void
answer_secured(struct answer_row *a, const char *tls, const char *cipher,
    const char *policy)
{
	if (*policy == '\0')
		return;
	snprintf(a->tls, sizeof(a->tls), "%.15s %.39s %.15s",
	    *tls != '\0' ? tls : "-", *cipher != '\0' ? cipher : "-", policy);
}

void
answer_mark_uncertain(struct answer_row *a)
{
	size_t n = strlen(a->tls);

	snprintf(a->tls + n, sizeof(a->tls) - n, "%s uncertain",
	    n == 0 ? "- - -" : "");
}

struct secured
answer_how(const struct answer_row *a)
{
	struct secured s = { .tls = "" };
	char mark[16] = "";

	/* Rows of old have the protocol only. */
	sscanf(a->tls, "%15s %39s %15s %15s", s.tls, s.cipher, s.policy, mark);
	s.uncertain = strcmp(mark, "uncertain") == 0;
	if (strcmp(s.policy, "-") == 0)
		s.tls[0] = s.cipher[0] = s.policy[0] = '\0';
	return s;
}
