/* A message on its way in: its recipients, its body, its commit. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/log.h"
#include "mail/base64.h"
#include "smtpd/transaction.h"

static struct transaction *
start(void)
{
	struct transaction *tx = tx_new("alice@example.org", 5);

	data_init(&tx->reader);
	header_init(&tx->header);
	assert_int_equal(tx->fd, -1);
	return tx;
}

static void
test_recipients(void **state)
{
	struct transaction *tx = start();
	struct bytes list, item;
	char address[64];
	size_t count = 0;
	int n;

	(void)state;
	for (;; count++) {
		n = snprintf(
		    address, sizeof(address), "r%zu@example.net", count);
		if (!tx_has_room(tx, (size_t)n))
			break;
		tx_add_rcpt(tx, (const uint8_t *)address, (size_t)n);
	}
	assert_int_equal(tx->nrcpts, count);
	assert_true(tx->rcpts.len <= RCPTS_MAX);
	assert_true(tx->rcpts.len + 2 + (size_t)n > RCPTS_MAX);
	list = (struct bytes){ (uint8_t *)buf_data(&tx->rcpts), tx->rcpts.len };
	for (size_t i = 0; i < count; i++) {
		assert_true(list_next(&list, &item));
		n = snprintf(address, sizeof(address), "r%zu@example.net", i);
		assert_int_equal(item.len, n);
		assert_memory_equal(item.data, address, n);
	}
	assert_false(list_next(&list, &item));
	tx_free(tx);
}

/* However a message is cut, the hash is that of its body (RFC 6376 A.2). */
static void
test_body_hash(void **state)
{
	static const char text[] =
	    "From: a@b\r\nSubject: x\r\n\r\n"
	    "Hi.\r\n\r\nWe lost the game. Are you hungry yet?\r\n\r\nJoe.\r\n";
	size_t n = sizeof(text) - 1, k;
	struct session s = { .mech = "PLAIN" };
	struct transaction *tx;
	char hash[BASE64_SIZE(SHA256_SIZE)];
	struct msg m;

	(void)state;
	for (size_t step = 1; step <= n; step++) {
		tx = start();
		for (size_t at = 0; at < n; at += k) {
			k = n - at < step ? n - at : step;
			tx->reader.size += k;
			header_feed(&tx->header, text + at, k);
			tx_hash(tx, text + at, k);
		}
		buf_add(&tx->body, text, n);
		tx_commit(tx, &s, &m);
		assert_int_equal(m.u.tx_commit.body_hash.len, BODY_HASH);
		base64_encode(m.u.tx_commit.body_hash.data, BODY_HASH, hash);
		assert_string_equal(
		    hash, "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=");
		tx_free(tx);
	}
}

static void
test_file(void **state)
{
	struct transaction *tx = start();
	char got[100001];
	int copy;

	(void)state;
	tx->fd = memfd_create("body", MFD_CLOEXEC);
	copy = dup(tx->fd);
	for (int i = 0; i < 10; i++) {
		memset(got, 'a' + i, 10000);
		buf_add(&tx->body, got, 10000);
		if (i % 3 == 0)
			tx_flush(tx);
	}
	tx_flush(tx);
	assert_int_equal(tx->written, 100000);
	assert_int_equal(tx->trouble.verdict, V_OK);
	assert_int_equal(pread(copy, got, sizeof(got), 0), 100000);
	for (int i = 0; i < 100000; i++)
		assert_int_equal(got[i], 'a' + i / 10000);
	close(copy);
	tx_free(tx);
}

static void
test_file_without_room(void **state)
{
	struct transaction *tx = start();

	(void)state;
	tx->fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	buf_add(&tx->body, "x", 1);
	tx_flush(tx);
	assert_true(tx->doomed);
	assert_int_equal(tx->trouble.code, 452);
	assert_string_equal(tx->trouble.status, "4.3.1");
	assert_int_equal(tx->body.cap, 0);
	tx_free(tx);
}

static void
feed(struct transaction *tx, const char *text)
{
	size_t used, len, n = strlen(text);
	char *out = buf_reserve(&tx->body, n + 4);

	assert_int_equal(
	    data_read(&tx->reader, text, n, &used, out, &len), DATA_END);
	header_feed(&tx->header, out, len);
	header_finish(&tx->header);
	buf_commit(&tx->body, len);
}

static void
test_commit(void **state)
{
	struct transaction *tx = start();
	struct session s = { .esmtp = true,
		.ip = "192.0.2.7",
		.port = 465,
		.tls = "TLSv1.3",
		.mech = "LOGIN",
		.account = "alice@example.org",
		.credential = "phone" };
	struct msg_tx_commit *c;
	struct msg m;

	(void)state;
	tx_add_rcpt(tx, (const uint8_t *)"bob@example.net", 15);
	feed(tx, "From: x\r\nMessage-ID: <1@x>\r\n\r\n\xc3\xa4\r\n.\r\n");
	tx_commit(tx, &s, &m);
	c = &m.u.tx_commit;
	assert_int_equal(m.type, MSG_TX_COMMIT);
	assert_string_equal(c->account, "alice@example.org");
	assert_string_equal(c->credential, "phone");
	assert_string_equal(c->sender, "alice@example.org");
	assert_string_equal(c->ip, "192.0.2.7");
	assert_int_equal(c->port, 465);
	assert_string_equal(c->tls, "TLSv1.3");
	assert_string_equal(c->mech, "LOGIN");
	assert_string_equal(c->with, "ESMTPSA");
	assert_string_equal(c->msgid, "<1@x>");
	assert_int_equal(c->flags, TX_8BIT | TX_ADD_DATE);
	assert_int_equal(c->size, 34);
	assert_int_equal(c->body.len, 34);
	assert_int_equal(c->rcpts.len, 17);
	tx_free(tx);
}

static void
test_nothing(void **state)
{
	(void)state;
	tx_free(NULL);
}

static int
quiet(void **state)
{
	(void)state;
	log_open("test");
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recipients),
		cmocka_unit_test(test_body_hash),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_file_without_room),
		cmocka_unit_test(test_commit),
		cmocka_unit_test(test_nothing),
	};

	return cmocka_run_group_tests(tests, quiet, NULL);
}
