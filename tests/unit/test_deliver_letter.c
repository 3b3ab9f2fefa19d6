/* Reading a message in pieces, from memory and from a file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "deliver/letter.h"
#include "mail/data.h"

static struct bytes
bytes_of(const char *s)
{
	return (struct bytes){ (const uint8_t *)s, strlen(s) };
}

static char *
read_all(struct reading *r, size_t *most)
{
	struct buf out = { 0 };
	enum reading_result result;
	size_t before;
	char *text;

	*most = 0;
	do {
		before = out.len;
		result = reading_next(r, &out);
		if (out.len - before > *most)
			*most = out.len - before;
	} while (result == READING_MORE);
	assert_int_equal(result, READING_DONE);
	text = strndup(buf_data(&out), out.len);
	buf_release(&out);
	return text;
}

static void
memory_is_stuffed_and_ended(void **state)
{
	struct letter l = { .added = bytes_of("A: b\r\n"),
		.body = bytes_of(".\r\n\r\n..x"),
		.fd = -1 };
	struct reading r;
	size_t most;
	char *text;

	(void)state;
	reading_init(&r, &l);
	text = read_all(&r, &most);
	assert_string_equal(text, "A: b\r\n..\r\n\r\n...x\r\n.\r\n");
	free(text);
	reading_clear(&r);
}

static void
nothing_is_a_lone_dot(void **state)
{
	struct letter l = { .fd = -1 };
	struct reading r;
	size_t most;
	char *text;

	(void)state;
	reading_init(&r, &l);
	text = read_all(&r, &most);
	assert_string_equal(text, ".\r\n");
	free(text);
}

/* Line ends and dots that fall on the seams of the pieces. */
static void
file_is_read_in_pieces(void **state)
{
	size_t n = 300001;
	char *body = malloc(n + 1), *text, *p;
	int fd = memfd_create("body", 0);
	struct letter l = {
		.added = bytes_of("A: b\r\n"), .fd = fd, .file_size = n
	};
	struct reading r;
	size_t most;

	(void)state;
	for (size_t i = 0; i < n; i++)
		body[i] = ".\r\nx\r\n"[i % 6];
	body[n] = '\0';
	assert_int_equal(write(fd, body, n), n);
	reading_init(&r, &l);
	text = read_all(&r, &most);
	assert_true(most < 120000);
	/* Undone, it is the same again. */
	p = text + 6;
	for (size_t i = 0; i < n; i++) {
		if (body[i] == '.' && (i == 0 || body[i - 1] == '\n'))
			assert_int_equal(*p++, '.');
		assert_int_equal(*p++, body[i]);
	}
	assert_string_equal(p, n % 6 == 0 ? ".\r\n" : "\r\n.\r\n");
	free(text);
	free(body);
	close(fd);
}

static void
short_file_fails(void **state)
{
	int fd = memfd_create("body", 0);
	struct letter l = { .fd = fd, .file_size = 100 };
	struct buf out = { 0 };
	struct reading r;

	(void)state;
	assert_int_equal(write(fd, "short", 5), 5);
	reading_init(&r, &l);
	assert_int_equal(reading_next(&r, &out), READING_FAILED);
	buf_release(&out);
	close(fd);
}

static void
eight_bits_become_seven(void **state)
{
	static const char body[] =
	    "Content-Type: text/plain; charset=utf-8\r\n"
	    "Content-Transfer-Encoding: 8bit\r\n\r\nM\xc3\xbcll\r\n";
	int fd = memfd_create("body", 0);
	struct letter l = { .added = bytes_of("MIME-Version: 1.0\r\n"),
		.fd = fd,
		.file_size = sizeof(body) - 1,
		.eight_bit = true };
	const char *problem;
	struct reading r;
	size_t most;
	char *text;

	(void)state;
	assert_int_equal(write(fd, body, sizeof(body) - 1), sizeof(body) - 1);
	reading_init(&r, &l);
	assert_int_equal(
	    reading_downgrade(&r, DOWNGRADE_8BIT, &problem), DOWNGRADE_READY);
	text = read_all(&r, &most);
	assert_non_null(strstr(text, "M=C3=BCll\r\n.\r\n"));
	for (char *p = text; *p != '\0'; p++)
		assert_true(*p > 0);
	free(text);
	reading_clear(&r);
	close(fd);
}

/*
 * Nothing that leaves can be split by a server that reads line ends as it
 * likes: whatever came in, by DATA or as binary, and however it is converted,
 * every CR and LF on the wire is part of a CRLF, there is no NUL, and only the
 * last line is a lone dot.
 */
static const struct {
	const char *text;
	size_t n;
} shards[] = {
#define SHARD(s) \
	{ \
		s, sizeof(s) - 1 \
	}
	SHARD("\r\n"),
	SHARD("\r\n"),
	SHARD("\r\n"),
	SHARD("\r"),
	SHARD("\n"),
	SHARD("."),
	SHARD("."),
	SHARD("\r\n.\r\n"),
	SHARD("\n.\n"),
	SHARD("\n.\r\n"),
	SHARD("\r\n.\n"),
	SHARD("\r.\r"),
	SHARD("\r\n.\r"),
	SHARD("\r\r\n.\r\r\n"),
	SHARD("\0"),
	SHARD("\r\n\0.\r\n"),
	SHARD("\xc3\xbc"),
	SHARD("\x85"),
	SHARD("x"),
	SHARD("=\r\n."),
	SHARD("MAIL FROM:<a@b>\r\n"),
	SHARD("\r\n--b\r\n"),
	SHARD("\r\n--b--\r\n"),
	SHARD("\r\n\r\n"),
	SHARD("Content-Transfer-Encoding: binary\r\n"),
	SHARD("Content-Transfer-Encoding: 8bit\r\n"),
	SHARD("Content-Type: multipart/mixed; boundary=b\r\n"),
	SHARD("Content-Type: image/png\r\n"),
};

static uint32_t
chance(uint32_t most)
{
	static uint32_t x = 2463534242u;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return x % most;
}

static size_t
make_message(char *out)
{
	size_t n = 0, which;

	for (uint32_t i = 1 + chance(24); i > 0; i--) {
		which = chance(sizeof(shards) / sizeof(shards[0]));
		memcpy(out + n, shards[which].text, shards[which].n);
		n += shards[which].n;
	}
	return n;
}

static void
check_wire(const char *p, size_t n)
{
	bool start = true;

	assert_true(n >= 3 && memcmp(p + n - 3, ".\r\n", 3) == 0);
	assert_true(n == 3 || memcmp(p + n - 5, "\r\n", 2) == 0);
	for (size_t i = 0; i < n - 3; i++) {
		assert_int_not_equal(p[i], '\0');
		assert_int_not_equal(p[i], '\n');
		if (start && p[i] == '.')
			assert_int_equal(p[++i], '.');
		start = p[i] == '\r';
		if (start)
			assert_int_equal(p[++i], '\n');
	}
}

/* By each way out; as it is, an accepted message comes out as it went in. */
static void
send_message(const char *body, size_t n, bool accepted)
{
	struct letter l = { .added = bytes_of("A: b\r\n"),
		.body = { (const uint8_t *)body, n },
		.fd = -1 };

	for (unsigned what = 0; what <= 3; what++) {
		struct buf out = { 0 };
		enum reading_result more;
		struct data_reader back;
		struct reading r;
		const char *problem;
		char again[8192];
		size_t used, len;

		reading_init(&r, &l);
		if (what != 0)
			(void)reading_downgrade(&r, what, &problem);
		while ((more = reading_next(&r, &out)) == READING_MORE)
			;
		assert_int_equal(more, READING_DONE);
		check_wire(buf_data(&out), out.len);
		if (what == 0 && accepted) {
			data_init(&back);
			assert_int_equal(data_read(&back, buf_data(&out),
					     out.len, &used, again, &len),
			    DATA_END);
			assert_int_equal(used, out.len);
			assert_true(len >= n + 6);
			assert_memory_equal(again + 6, body, n);
		}
		reading_clear(&r);
		buf_release(&out);
	}
}

static void
nothing_can_be_split(void **state)
{
	static char in[4096], body[4096 + 8];
	struct data_reader r;
	unsigned accepted = 0;
	size_t n, used, len;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		n = make_message(in);
		send_message(in, n, false);
		memcpy(in + n, "\r\n.\r\n", 5);
		data_init(&r);
		if (data_read(&r, in, n + 5, &used, body, &len) != DATA_END ||
		    (r.fault != DATA_CLEAN && r.fault != DATA_LONG_LINE))
			continue;
		accepted++;
		send_message(body, len, true);
	}
	assert_true(accepted > 500);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_stuffed_and_ended),
		cmocka_unit_test(nothing_is_a_lone_dot),
		cmocka_unit_test(file_is_read_in_pieces),
		cmocka_unit_test(short_file_fails),
		cmocka_unit_test(eight_bits_become_seven),
		cmocka_unit_test(nothing_can_be_split),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
