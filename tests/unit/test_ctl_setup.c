/* What a command reads and makes before anybody answers it. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "ctl/certificate.h"
#include "ctl/hostname.h"
#include "ctl/operand.h"
#include "ctl/secret.h"
#include "ctl/settings.h"
#include "ctl/setup.h"
#include "ctl/template.h"
#include "ctl/tlsfile.h"
#include "lib/code.h"

static char dir[] = "/tmp/postern-ctl-XXXXXX";

static int
make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) == NULL;
}

static int
remove_dir(void **state)
{
	char command[100];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command);
}

static const char *
in_dir(const char *name)
{
	static char paths[4][200];
	static int next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
	return path;
}

static bool
line_of(const char *bytes, size_t n, char out[SECRET_MAX])
{
	int fds[2];
	bool ok;

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], bytes, n), n);
	close(fds[1]);
	ok = secret_read_line(fds[0], out);
	close(fds[0]);
	return ok;
}

static void
first_line(void **state)
{
	char out[SECRET_MAX], many[300];

	(void)state;
	assert_true(line_of("secret\nmore\n", 12, out));
	assert_string_equal(out, "secret");
	assert_true(line_of("no end", 6, out));
	assert_string_equal(out, "no end");
	assert_true(line_of("dos\r\n", 5, out));
	assert_string_equal(out, "dos");
	assert_true(line_of(" two words \n", 12, out));
	assert_string_equal(out, " two words ");
	assert_true(line_of("\n", 1, out));
	assert_string_equal(out, "");
	assert_false(line_of("", 0, out));
	assert_false(line_of("a\0b\n", 4, out));
	memset(many, 'x', sizeof(many));
	many[255] = '\n';
	assert_true(line_of(many, 256, out));
	assert_int_equal(strlen(out), 255);
	many[255] = 'x';
	assert_false(line_of(many, 300, out));
	assert_int_equal(out[0], 0);
}

static void
made_passwords(void **state)
{
	char one[SECRET_MADE], two[SECRET_MADE];
	unsigned seen[128] = { 0 };
	int letters = 0;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		secret_generate(one);
		assert_int_equal(strlen(one), 23);
		for (size_t k = 0; k < 23; k++) {
			assert_int_equal(one[k] == '-', k % 6 == 5);
			seen[(unsigned char)one[k]]++;
		}
	}
	secret_generate(two);
	assert_string_not_equal(one, two);
	for (int c = 0; c < 128; c++)
		letters += seen[c] > 0;
	assert_int_equal(letters, 31 + 1);
	for (const char *bad = "ilo01IO"; *bad != '\0'; bad++)
		assert_int_equal(seen[(unsigned char)*bad], 0);
	/* 20,000 letters of 31: about 645 each. */
	for (const char *c = "abz29"; *c != '\0'; c++)
		assert_in_range(seen[(unsigned char)*c], 450, 850);
}

static void
operands(void **state)
{
	char out[ADDR_SIZE];
	uint64_t n;

	(void)state;
	assert_int_equal(operand_address("Alice@EXAMPLE.org", out), CODE_OK);
	assert_string_equal(out, "Alice@example.org");
	assert_int_equal(operand_address("alice", out), CODE_USAGE);
	assert_int_equal(operand_address("a@m\xc3\xbcnchen.de", out), CODE_OK);
	assert_string_equal(out, "a@xn--mnchen-3ya.de");
	assert_int_equal(operand_address("postmaster", out), CODE_USAGE);
	assert_int_equal(operand_address("", out), CODE_USAGE);
	assert_int_equal(operand_address("a@b\n", out), CODE_USAGE);
	assert_int_equal(operand_sender("@Example.ORG", out), CODE_OK);
	assert_string_equal(out, "@example.org");
	assert_int_equal(operand_sender("@", out), CODE_USAGE);
	assert_int_equal(operand_sender("@a b", out), CODE_USAGE);
	assert_int_equal(operand_sender("b@example.org", out), CODE_OK);
	assert_int_equal(operand_domain("example.net", out), CODE_OK);
	assert_int_equal(operand_domain("[192.0.2.1]", out), CODE_OK);
	assert_int_equal(operand_domain("a@b", out), CODE_USAGE);
	assert_int_equal(operand_id("01k9zq7m3v000", &n), CODE_OK);
	assert_int_equal(operand_id("01k9", &n), CODE_USAGE);
	assert_int_equal(operand_number("limit", "10", 1, 20, &n), CODE_OK);
	assert_int_equal(n, 10);
	assert_int_equal(operand_number("limit", "0", 1, 20, &n), CODE_USAGE);
	assert_int_equal(operand_number("limit", "-1", 1, 20, &n), CODE_USAGE);
	assert_int_equal(operand_number("limit", "1x", 1, 20, &n), CODE_USAGE);
	assert_int_equal(
	    operand_number("limit", "99999999999999999999", 1, UINT64_MAX, &n),
	    CODE_USAGE);
}

static void
names_in_hosts(void **state)
{
	static const char hosts[] = "127.0.0.1 localhost\n"
				    "# 192.0.2.9 wrong.example.org mail\n"
				    "192.0.2.1\tmail.example.org mail # mail2\n"
				    "192.0.2.2 box box.example.net";
	char out[256];

	(void)state;
	assert_true(hostname_find(hosts, strlen(hosts), "mail", out));
	assert_string_equal(out, "mail.example.org");
	assert_true(hostname_find(hosts, strlen(hosts), "BOX", out));
	assert_string_equal(out, "box.example.net");
	assert_false(hostname_find(hosts, strlen(hosts), "localhost", out));
	assert_false(hostname_find(hosts, strlen(hosts), "mail2", out));
	assert_false(hostname_find("", 0, "mail", out));
}

static void
lines_of_keys(void **state)
{
	char text[] = "# hostname = no\n"
		      "hostname = a.example\n"
		      "[tls]\n"
		      "  certificate=/c ; x\n"
		      "key : /k\n"
		      "[ listen  one ]\r\n"
		      "address = 1\n"
		      "[listen two]\n"
		      "address = 2\n"
		      "[queue]\n"
		      "cache = 1M";
	const struct settings s = { .text = text, .len = strlen(text) };

	(void)state;
	assert_int_equal(settings_line(&s, "", "hostname"), 2);
	assert_int_equal(settings_line(&s, "tls", "certificate"), 4);
	assert_int_equal(settings_line(&s, "tls", "key"), 5);
	assert_int_equal(settings_line(&s, "listen one", "address"), 7);
	assert_int_equal(settings_line(&s, "listen two", "address"), 9);
	assert_int_equal(settings_line(&s, "listen three", "address"), 0);
	assert_int_equal(settings_line(&s, "queue", "cache"), 11);
	assert_int_equal(settings_line(&s, "queue", "key"), 0);
	assert_int_equal(settings_line(&s, "", "key"), 0);
}

static void
unexpected(void *arg, int line, const char *text, const char *hint)
{
	(void)arg, (void)hint;
	fail_msg("line %d: %s", line, text);
}

static void
first_configuration(void **state)
{
	char *text = template_text(CONF_DEFAULT_FILE, "mail.example.org", true);
	struct conf *c = conf_parse("x", text, strlen(text), unexpected, NULL);

	(void)state;
	assert_string_equal(c->hostname, "mail.example.org");
	assert_string_equal(c->state, "/var/lib/postern");
	assert_string_equal(c->tls[0].key, "/var/lib/postern/tls/key.pem");
	assert_true(c->nlistens >= 2);
	conf_free(c);
	free(text);

	text = template_text(in_dir("p.conf"), "localhost", false);
	c = conf_parse("x", text, strlen(text), unexpected, NULL);
	assert_string_equal(c->state, in_dir("state"));
	assert_string_equal(c->tls[0].key, in_dir("state/tls/key.pem"));
	assert_int_equal(c->nlistens, 2);
	assert_int_equal(
	    net_port((struct sockaddr *)&c->listens[0].address.ss), 2465);
	conf_free(c);
	free(text);
}

static void
certificates(void **state)
{
	char err[CERTIFICATE_ERROR];
	static struct tlsfile f;
	struct conf_tls t = { 0 };
	struct stat st;
	uint64_t now = (uint64_t)time(NULL);

	(void)state;
	assert_true(certificate_make(
	    in_dir("c.pem"), in_dir("k.pem"), "mail.example.org", err));
	strcpy(t.certificate, in_dir("c.pem"));
	tlsfile_read(&f, &t, NULL);
	assert_string_equal(f.error, "");
	assert_string_equal(f.names[0], "mail.example.org");
	assert_true(f.self_signed);
	assert_in_range(f.expires, now + 823 * 86400, now + 825 * 86400);
	assert_int_equal(stat(in_dir("k.pem"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(stat(in_dir("c.pem"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);

	/* Never over what is there, and never half of a pair. */
	assert_false(certificate_make(
	    in_dir("c.pem"), in_dir("k2.pem"), "mail.example.org", err));
	assert_non_null(strstr(err, "File exists"));
	assert_int_equal(access(in_dir("k2.pem"), F_OK), -1);
	strcpy(t.certificate, in_dir("k.pem"));
	tlsfile_read(&f, &t, NULL);
	assert_string_not_equal(f.error, "");
	strcpy(t.certificate, in_dir("none"));
	tlsfile_read(&f, &t, NULL);
	assert_string_not_equal(f.error, "");
}

/* The directories of an ordinary user; twice changes nothing. */
static void
directories(void **state)
{
	struct conf *c = calloc(1, sizeof(*c));
	struct setup s = { .conf = c, .made = json_array() };
	struct stat st;

	(void)state;
	snprintf(c->file, sizeof(c->file), "%s/etc/p.conf", dir);
	snprintf(c->state, sizeof(c->state), "%s/var/deep/state", dir);
	snprintf(c->run, sizeof(c->run), "%s/run", dir);
	s.dry = true;
	assert_int_equal(setup_directories(&s), CODE_OK);
	assert_int_equal(json_array_size(s.made), 3);
	assert_int_equal(access(c->run, F_OK), -1);
	s.dry = false;
	assert_int_equal(setup_directories(&s), CODE_OK);
	assert_int_equal(stat(in_dir("var/deep/state/auth"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(access(in_dir("run/empty"), F_OK), 0);
	json_array_clear(s.made);
	assert_int_equal(setup_directories(&s), CODE_OK);
	assert_int_equal(json_array_size(s.made), 0);
	assert_int_equal(chmod(in_dir("var/deep/state/auth"), 0755), 0);
	assert_int_equal(setup_directories(&s), CODE_OK);
	assert_int_equal(json_array_size(s.made), 1);
	assert_int_equal(stat(in_dir("var/deep/state/auth"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	json_decref(s.made);
	free(c);
}

static void
configuration_is_not_replaced(void **state)
{
	struct setup s = { .made = json_array() };
	char text[16] = "";
	FILE *f;

	(void)state;
	assert_int_equal(
	    setup_configuration(&s, in_dir("n.conf"), "one"), CODE_OK);
	assert_int_equal(
	    setup_configuration(&s, in_dir("n.conf"), "two"), CODE_OK);
	f = fopen(in_dir("n.conf"), "r");
	assert_non_null(f);
	assert_non_null(fgets(text, sizeof(text), f));
	fclose(f);
	assert_string_equal(text, "one");
	assert_int_equal(json_array_size(s.made), 1);
	json_decref(s.made);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_line),
		cmocka_unit_test(made_passwords),
		cmocka_unit_test(operands),
		cmocka_unit_test(names_in_hosts),
		cmocka_unit_test(lines_of_keys),
		cmocka_unit_test(first_configuration),
		cmocka_unit_test(certificates),
		cmocka_unit_test(directories),
		cmocka_unit_test(configuration_is_not_replaced),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
