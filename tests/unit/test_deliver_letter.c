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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_stuffed_and_ended),
		cmocka_unit_test(nothing_is_a_lone_dot),
		cmocka_unit_test(file_is_read_in_pieces),
		cmocka_unit_test(short_file_fails),
		cmocka_unit_test(eight_bits_become_seven),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
