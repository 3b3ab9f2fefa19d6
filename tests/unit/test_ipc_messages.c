/*
 * Every message, present and future: round trip, every truncation, one byte
 * more, fields that cover the struct, and directions that make sense.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ipc/messages.h"

static uint8_t rec[MSG_MAX], longer[MSG_MAX + 1];

/* Fill every field to its bound. */
static void
fill(struct msg *m, enum msg_type t, const uint8_t *bulk)
{
	const struct field *f;
	struct bytes b;
	size_t size;

	memset(m, 0, sizeof(*m));
	m->type = t;
	m->tag = 0x0102030405060708;
	for (f = msg_fields(t, &size); f->kind != FIELD_END; f++) {
		uint8_t *at = (uint8_t *)&m->u + f->off;

		if (f->kind == FIELD_BYTES) {
			b.data = bulk;
			b.len = f->size;
			memcpy(at, &b, sizeof(b));
		} else if (f->kind == FIELD_STR) {
			memset(at, 'x', f->size - 1);
		} else {
			memset(at, 0xa5, f->size);
		}
	}
}

static void
assert_same(const struct msg *a, const struct msg *b)
{
	const struct field *f;
	struct bytes x, y;
	size_t size;

	assert_int_equal(a->type, b->type);
	assert_int_equal(a->tag, b->tag);
	for (f = msg_fields(a->type, &size); f->kind != FIELD_END; f++) {
		const uint8_t *p = (const uint8_t *)&a->u + f->off;
		const uint8_t *q = (const uint8_t *)&b->u + f->off;

		if (f->kind != FIELD_BYTES) {
			assert_memory_equal(p, q, f->size);
			continue;
		}
		memcpy(&x, p, sizeof(x));
		memcpy(&y, q, sizeof(y));
		assert_int_equal(x.len, y.len);
		assert_memory_equal(x.data, y.data, x.len);
	}
}

static void
test_round_trip(void **state)
{
	static uint8_t bulk[BODY_INLINE + RCPTS_MAX];
	struct msg a, b;
	size_t n;

	(void)state;
	memset(bulk, 'b', sizeof(bulk));
	for (enum msg_type t = MSG_NONE + 1; t < MSG_TYPES; t++) {
		fill(&a, t, bulk);
		n = msg_encode(&a, rec, sizeof(rec));
		assert_true(n > 0);
		assert_true(msg_decode(&b, rec, n));
		assert_same(&a, &b);
	}
}

static void
test_every_other_length_is_refused(void **state)
{
	static uint8_t bulk[BODY_INLINE + RCPTS_MAX];
	struct msg a, b;
	size_t n;

	(void)state;
	for (enum msg_type t = MSG_NONE + 1; t < MSG_TYPES; t++) {
		fill(&a, t, bulk);
		n = msg_encode(&a, rec, sizeof(rec));
		for (size_t cut = 0; cut<n; cut += n> 4096 ? 97 : 1)
			assert_false(msg_decode(&b, rec, cut));
		assert_false(msg_decode(&b, rec, n - 1));
		memcpy(longer, rec, n);
		longer[n] = 0;
		assert_false(msg_decode(&b, longer, n + 1));
	}
}

static void
test_fields_cover_the_struct(void **state)
{
	const struct field *f;
	size_t size, end;

	(void)state;
	for (enum msg_type t = MSG_NONE + 1; t < MSG_TYPES; t++) {
		end = 0;
		for (f = msg_fields(t, &size); f->kind != FIELD_END; f++) {
			/* In order, with nothing but padding between. */
			assert_true(f->off >= end && f->off - end < 8);
			end = f->off +
			    (f->kind == FIELD_BYTES ? sizeof(struct bytes)
						    : f->size);
		}
		assert_true(size >= end && size - end < 8);
	}
}

static void
test_bounds(void **state)
{
	struct msg m = { .type = MSG_TX_COMMIT }, b;
	static uint8_t bulk[BODY_INLINE + 1];
	size_t n;

	(void)state;
	m.u.tx_commit.body = (struct bytes){ bulk, BODY_INLINE + 1 };
	assert_int_equal(msg_encode(&m, rec, sizeof(rec)), 0);
	m.u.tx_commit.body.len = BODY_INLINE;
	n = msg_encode(&m, rec, sizeof(rec));
	assert_true(n > 0 && msg_decode(&b, rec, n));

	/* A string one byte over its array, and one with a NUL inside. */
	memset(&m, 0, sizeof(m));
	m.type = MSG_SENDER_CHECK;
	n = msg_encode(&m, rec, sizeof(rec));
	rec[12] = (ADDR_SIZE >> 8) & 0xff;
	rec[13] = ADDR_SIZE & 0xff;
	assert_false(msg_decode(&b, rec, n + ADDR_SIZE));
	memset(&m, 0, sizeof(m));
	m.type = MSG_SENDER_CHECK;
	memcpy(m.u.sender_check.account, "abc", 4);
	n = msg_encode(&m, rec, sizeof(rec));
	rec[15] = 0;
	assert_false(msg_decode(&b, rec, n));
}

static void
test_heads(void **state)
{
	struct msg m = { .type = MSG_START }, b;
	size_t n;

	(void)state;
	n = msg_encode(&m, rec, sizeof(rec));
	assert_true(msg_version() != 0);
	assert_true(msg_is_ours(rec, n));
	rec[1]++; /* version */
	assert_false(msg_decode(&b, rec, n));
	assert_false(msg_is_ours(rec, n));
	rec[0] = rec[1] = 0;
	assert_false(msg_decode(&b, rec, n));
	n = msg_encode(&m, rec, sizeof(rec));
	rec[3] = MSG_TYPES;
	assert_false(msg_decode(&b, rec, n));
	rec[3] = MSG_NONE;
	assert_false(msg_decode(&b, rec, n));
}

static void
test_directions(void **state)
{
	(void)state;
	for (enum msg_type t = MSG_NONE + 1; t < MSG_TYPES; t++) {
		enum msg_type answer = msg_answer_to(t);
		int ways = 0;

		for (enum process f = 0; f < P_COUNT; f++)
			for (enum process to = 0; to < P_COUNT; to++) {
				if (!msg_allowed(t, f, to))
					continue;
				ways++;
				assert_true(f != to);
				if (answer != MSG_NONE)
					assert_true(msg_allowed(answer, to, f));
			}
		assert_true(ways > 0);
		assert_string_not_equal(msg_name(t), "none");
	}
	/* What a hijacked smtpd must not be able to say. */
	assert_false(msg_allowed(MSG_QUEUE_CMD, P_SMTPD, P_QUEUE));
	assert_false(msg_allowed(MSG_ACCOUNT_CMD, P_SMTPD, P_AUTH));
	assert_false(msg_allowed(MSG_ROUTE_SECRET, P_SMTPD, P_AUTH));
	assert_false(msg_allowed(MSG_JOB, P_SMTPD, P_DELIVER));
	assert_false(msg_allowed(MSG_TX_COMMIT, P_DELIVER, P_QUEUE));
	assert_false(msg_allowed(MSG_TLS_SIGN, P_DELIVER, P_AUTH));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_every_other_length_is_refused),
		cmocka_unit_test(test_fields_cover_the_struct),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_heads),
		cmocka_unit_test(test_directions),
	};

	return cmocka_run_group_tests_name("ipc_messages", tests, NULL, NULL);
}
