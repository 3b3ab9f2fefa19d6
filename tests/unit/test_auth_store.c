/*
 * The store: what a transaction means, what survives, what is refused.
 */
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "auth/accounts.h"
#include "auth/book.h"
#include "auth/store.h"
#include "auth/t_account.h"
#include "auth/t_credential.h"
#include "auth/t_grant.h"
#include "auth/t_logins.h"
#include "auth/t_secret.h"
#include "auth/uses.h"
#include "lib/loop.h"
#include "test_dir.h"

#define ALICE "alice@example.org"
#define BOB   "bob@example.org"

static char dir[64];

static int
setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/postern-test-auth-XXXXXX");
	return mkdtemp(dir) == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	store_close();
	book_close();
	return dir_remove(dir);
}

static void
reopen(void)
{
	store_close();
	book_close();
	store_open(dir);
}

/* Run body in a process of its own; its wait status. */
static int
apart(void (*body)(void))
{
	pid_t pid;
	int status;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY);

		dup2(null, 2);
		body();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static bool
put_two_and_decide(struct txn *txn, void *arg)
{
	struct account a = { .state = ACC_SUSPENDED, .since = 7 };

	account_put(txn, ALICE, &a);
	account_put(txn, BOB, &a);
	assert_true(account_get(txn, BOB, &a)); /* it sees its own writes */
	return *(bool *)arg;
}

static void
all_or_nothing(void **state)
{
	struct account a;
	bool yes = false;

	(void)state;
	store_open(dir);
	assert_int_equal(
	    store_txn(STORE_SYNC, put_two_and_decide, &yes), V_PERM);
	assert_false(account_get(NULL, ALICE, &a));
	yes = true;
	assert_int_equal(store_txn(STORE_SYNC, put_two_and_decide, &yes), V_OK);
	reopen();
	assert_true(account_get(NULL, ALICE, &a));
	assert_int_equal(a.state, ACC_SUSPENDED);
	assert_int_equal(a.since, 7);
}

static bool
put_rows(struct txn *txn, void *arg)
{
	static const char *const logins[] = { "b@x.example", "a@x.example",
		"a@x.example.org", "c@x.example" };
	struct account a = { 0 };
	struct grant g = { .by = "root" };

	(void)arg;
	for (size_t i = 0; i < 4; i++) {
		a.state = i % 2 == 0 ? ACC_ACTIVE : ACC_SUSPENDED;
		account_put(txn, logins[i], &a);
		grant_put(txn, logins[i], logins[i], &g);
		grant_put(txn, logins[i], "@z.example", &g);
	}
	return true;
}

static void
lists_go_in_order(void **state)
{
	char login[ADDR_SIZE] = "", address[ADDR_SIZE] = "", seen[512] = "";
	enum account_state s;
	struct account a;
	struct grant g;
	int n = 0;

	(void)state;
	store_open(dir);
	assert_int_equal(store_txn(STORE_SYNC, put_rows, NULL), V_OK);
	while (account_next(NULL, login, &a)) {
		strcat(seen, login);
		strcat(seen, " ");
	}
	assert_string_equal(
	    seen, "a@x.example a@x.example.org b@x.example c@x.example ");
	seen[0] = login[0] = '\0';
	while (account_next_inactive(NULL, login, &s)) {
		assert_int_equal(s, ACC_SUSPENDED);
		strcat(seen, login);
		strcat(seen, " ");
	}
	assert_string_equal(seen, "a@x.example c@x.example ");
	login[0] = '\0';
	while (grant_next(NULL, login, address, &g))
		n++;
	assert_int_equal(n, 8);
	assert_int_equal(grant_count(NULL, "a@x.example"), 2);
	assert_int_equal(grant_count(NULL, "a@x"), 0);
}

static struct change
change(const char *login)
{
	return (struct change){ .login = login,
		.by = "root",
		.hash = "$1$Daxl/Tq0$RlbdagHN.SwBipatBqmtg1",
		.reason = "too much mail",
		.address = "sales@example.org" };
}

static void
an_account_lives_and_dies(void **state)
{
	struct change c = change(ALICE);
	const struct page *page;
	struct credential cred;
	struct account a;

	(void)state;
	store_open(dir);
	assert_int_equal(accounts_suspend(&c), CHANGE_ABSENT);
	assert_int_equal(accounts_add(&c), CHANGE_DONE);
	assert_int_equal(c.account.state, ACC_ACTIVE);
	assert_int_equal(accounts_add(&c), CHANGE_EXISTS);
	assert_int_equal(grant_count(NULL, ALICE), 1);
	page = book_find(ALICE);
	assert_string_equal(page->hash, c.hash);
	assert_int_equal(accounts_grant(&c), CHANGE_DONE);
	assert_int_equal(accounts_grant(&c), CHANGE_EXISTS);
	/* The book never lags behind. */
	assert_int_equal(book_find(ALICE)->ngrants, 2);
	assert_int_equal(accounts_suspend(&c), CHANGE_DONE);
	assert_int_equal(book_find(ALICE)->state, ACC_SUSPENDED);
	c.by = "somebody else";
	assert_int_equal(accounts_suspend(&c), CHANGE_NONE);
	reopen();
	assert_true(account_get(NULL, ALICE, &a));
	assert_string_equal(a.by, "root");
	assert_string_equal(a.reason, "too much mail");
	assert_int_equal(accounts_remove(&c), CHANGE_DONE);
	assert_int_equal(book_find(ALICE)->state, ACC_REMOVED);
	assert_string_equal(book_find(ALICE)->hash, "");
	assert_int_equal(book_find(ALICE)->ngrants, 0);
	assert_false(credential_get(NULL, ALICE, CREDENTIAL_PASSWORD, &cred));
	assert_int_equal(accounts_passwd(&c), CHANGE_ABSENT);
	assert_int_equal(accounts_grant(&c), CHANGE_ABSENT);
	assert_int_equal(accounts_resume(&c), CHANGE_ABSENT);
	assert_int_equal(accounts_add(&c), CHANGE_DONE);
	assert_int_equal(c.account.state, ACC_REMOVED);
	assert_int_equal(book_find(ALICE)->state, ACC_ACTIVE);
	assert_int_equal(book_find(ALICE)->ngrants, 1);
}

static void
an_upgrade_never_undoes_a_change(void **state)
{
	struct change c = change(ALICE);
	struct credential cred;

	(void)state;
	store_open(dir);
	assert_int_equal(accounts_add(&c), CHANGE_DONE);
	c.old_hash = c.hash;
	c.hash = "new by its owner";
	assert_int_equal(accounts_passwd(&c), CHANGE_DONE);
	c.hash = "fresh form of the old one";
	assert_int_equal(accounts_upgrade(&c), CHANGE_NONE);
	assert_true(credential_get(NULL, ALICE, CREDENTIAL_PASSWORD, &cred));
	assert_string_equal(cred.hash, "new by its owner");
}

static void
grants_are_bounded(void **state)
{
	struct change c = change(ALICE);
	char address[64];

	(void)state;
	store_open(dir);
	assert_int_equal(accounts_add(&c), CHANGE_DONE);
	c.address = address;
	for (int i = 1; i < GRANTS_MAX; i++) {
		snprintf(address, sizeof(address), "a%d@example.org", i);
		assert_int_equal(accounts_grant(&c), CHANGE_DONE);
	}
	strcpy(address, "one@too.many");
	assert_int_equal(accounts_grant(&c), CHANGE_TOO_MANY);
	assert_int_equal(book_find(ALICE)->ngrants, GRANTS_MAX);
	/* All of them go in one transaction. */
	assert_int_equal(accounts_remove(&c), CHANGE_DONE);
	assert_int_equal(grant_count(NULL, ALICE), 0);
}

static void
page_covers_what_is_granted(void **state)
{
	static const struct {
		const char *address;
		bool covered;
	} rows[] = {
		{ "alice@example.org", true },
		{ "Alice@example.org", true },
		{ "alice+tag@example.org", true },
		{ "alice+a+b@example.org", true },
		{ "sales@example.org", true },
		{ "anything@all.example", true },
		{ "alicex@example.org", false },
		{ "bob@example.org", false },
		{ "alice@example.com", false },
		{ "x@sub.all.example", false },
	};
	struct change c = change(ALICE);
	struct address a;

	(void)state;
	store_open(dir);
	assert_int_equal(accounts_add(&c), CHANGE_DONE);
	assert_int_equal(accounts_grant(&c), CHANGE_DONE);
	c.address = "@all.example";
	assert_int_equal(accounts_grant(&c), CHANGE_DONE);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(address_parse(
		    &a, rows[i].address, strlen(rows[i].address)));
		assert_int_equal(
		    page_covers(book_find(ALICE), &a), rows[i].covered);
	}
	assert_int_equal(accounts_revoke(&c), CHANGE_DONE);
	assert_int_equal(accounts_revoke(&c), CHANGE_NOTHING);
	assert_true(address_parse(&a, "anything@all.example", 20));
	assert_false(page_covers(book_find(ALICE), &a));
}

static void
uses_are_written_together(void **state)
{
	struct change c = change(ALICE);
	struct credential cred;

	(void)state;
	store_open(dir);
	assert_int_equal(accounts_add(&c), CHANGE_DONE);
	uses_note(ALICE, CREDENTIAL_PASSWORD, "192.0.2.1", "PLAIN", "");
	uses_note(ALICE, CREDENTIAL_PASSWORD, "192.0.2.2", "PLAIN", "");
	uses_note(BOB, CREDENTIAL_PASSWORD, "192.0.2.3", "PLAIN", "");
	assert_true(credential_get(NULL, ALICE, CREDENTIAL_PASSWORD, &cred));
	assert_int_equal(cred.last_use, 0);
	uses_write();
	assert_true(credential_get(NULL, ALICE, CREDENTIAL_PASSWORD, &cred));
	assert_true(cred.last_use > 0);
	assert_string_equal(cred.last_ip, "192.0.2.2");
	assert_string_equal(cred.hash, c.hash);
	assert_false(credential_get(NULL, BOB, CREDENTIAL_PASSWORD, &cred));
	for (int i = 0; i < 1000; i++) {
		char login[32];

		snprintf(login, sizeof(login), "u%d@x", i);
		uses_note(login, CREDENTIAL_PASSWORD, "192.0.2.1", "PLAIN", "");
	}
	uses_write();
}

static void
a_removal_wins_over_a_login(void **state)
{
	struct change c = change(ALICE);
	char buf[STORE_ROW_MAX];
	struct login_entry e;

	(void)state;
	store_open(dir);
	assert_int_equal(accounts_add(&c), CHANGE_DONE);
	uses_note(ALICE, CREDENTIAL_PASSWORD, "192.0.2.1", "PLAIN", "");
	assert_int_equal(accounts_remove(&c), CHANGE_DONE);
	uses_note(ALICE, CREDENTIAL_PASSWORD, "192.0.2.2", "PLAIN", "why");
	uses_write();
	assert_false(logins_get(NULL, ALICE, 0, buf, &e));
}

static void
add_and_die(void)
{
	struct change c = change(ALICE);
	char address[64];

	store_open(dir);
	if (accounts_add(&c) != CHANGE_DONE)
		_exit(1);
	for (int i = 0; i < 200; i++) {
		snprintf(address, sizeof(address), "a%d@example.org", i);
		c.address = address;
		if (accounts_grant(&c) != CHANGE_DONE)
			_exit(1);
	}
	raise(SIGKILL);
}

static void
what_was_answered_survives_kill(void **state)
{
	(void)state;
	assert_true(WIFSIGNALED(apart(add_and_die)));
	store_open(dir);
	assert_non_null(book_find(ALICE));
	assert_int_equal(book_find(ALICE)->ngrants, 201);
}

static void
old_logs_go(void **state)
{
	struct change c = change(ALICE);
	char command[128];
	FILE *p;
	int logs;

	(void)state;
	store_open(dir);
	assert_int_equal(accounts_add(&c), CHANGE_DONE);
	/* About 20 MiB of log. */
	for (int i = 0; i < 5000; i++) {
		uses_note(ALICE, CREDENTIAL_PASSWORD, "192.0.2.1", "PLAIN", "");
		uses_write();
		if (i % 2 == 0)
			assert_int_equal(accounts_passwd(&c), CHANGE_DONE);
	}
	snprintf(command, sizeof(command), "ls %s/env | grep -c ^log", dir);
	p = popen(command, "r");
	assert_int_equal(fscanf(p, "%d", &logs), 1);
	pclose(p);
	assert_true(logs <= 6);
	reopen();
	assert_non_null(book_find(ALICE));
}

static void
open_it(void)
{
	/* The leak checker calls lost what is open when it ends. */
	atexit(store_close);
	store_open(dir);
}

static void
only_one_has_it(void **state)
{
	char home[80];
	int fd, status;

	(void)state;
	store_open(dir);
	store_close();
	snprintf(home, sizeof(home), "%s/env", dir);
	fd = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	status = apart(open_it); /* waits for its turn, in vain */
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
	close(fd);
	store_open(dir);
}

static void
fill_disk(void)
{
	static char block[65536];
	char path[80];
	int fd;

	snprintf(path, sizeof(path), "%s/fill", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	while (write(fd, block, sizeof(block)) > 0)
		;
	close(fd);
}

static void
fill_up_and_die(void)
{
	struct change alice = change(ALICE), bob = change(BOB);

	store_open(dir);
	if (accounts_add(&alice) != CHANGE_DONE)
		_exit(1);
	fill_disk();
	/* Refused, and what is there stays readable. */
	if (accounts_add(&bob) != CHANGE_NO_ROOM || book_find(ALICE) == NULL)
		_exit(2);
	uses_note(ALICE, CREDENTIAL_PASSWORD, "192.0.2.1", "PLAIN", "");
	uses_write();
	raise(SIGKILL);
}

static void
start_while_full(void)
{
	fill_disk();
	store_open(dir);
	if (book_find(ALICE) == NULL || book_find(BOB) != NULL)
		_exit(1);
	store_close();
}

static void
start_with_room(void)
{
	struct change bob = change(BOB);

	store_open(dir);
	if (accounts_add(&bob) != CHANGE_DONE || book_find(ALICE) == NULL)
		_exit(1);
	store_close();
}

static void
on_a_small_disk(void)
{
	char path[80];

	if (unshare(CLONE_NEWNS) == -1 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1 ||
	    mount("none", dir, "tmpfs", 0, "size=48m") == -1)
		_exit(77);
	if (!WIFSIGNALED(apart(fill_up_and_die)))
		_exit(1);
	if (apart(start_while_full) != 0)
		_exit(2);
	snprintf(path, sizeof(path), "%s/fill", dir);
	unlink(path);
	if (apart(start_with_room) != 0)
		_exit(3);
}

static void
a_full_disk_loses_nothing(void **state)
{
	int status = apart(on_a_small_disk);

	(void)state;
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip(); /* not root, or no mounts allowed here */
	assert_int_equal(WEXITSTATUS(status), 0);
}

static bool
write_newer_format(struct txn *txn, void *arg)
{
	static const uint8_t key[] = "format";
	struct newer {
		uint32_t format;
	} row = { 99 };
	static const struct field fields[] = { F_U32(newer, format), F_END };

	(void)arg;
	store_put(txn, TABLE_META, (struct bytes){ key, sizeof(key) - 1 },
	    fields, &row);
	return true;
}

static void
a_newer_format_is_refused(void **state)
{
	int status;

	(void)state;
	store_open(dir);
	assert_int_equal(store_txn(STORE_SYNC, write_newer_format, NULL), V_OK);
	store_close();
	status = apart(open_it);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 78);
}

/* As format 2 had them. */
struct credential_2 {
	uint32_t kind;
	char text[5][400]; /* hash, SCRAM, networks, senders; by */
	uint32_t per_day;
	uint64_t time[3];
	char last_ip[46];
};
struct account_2 {
	uint32_t state;
	char reason[200], by[128];
	uint64_t since, created;
};

static bool
write_format_2(struct txn *txn, void *arg)
{
	static const struct field credential_fields[] = {
		F_U32(credential_2, kind),
		F_STR(credential_2, text[0]),
		F_STR(credential_2, text[1]),
		F_STR(credential_2, text[2]),
		F_STR(credential_2, text[3]),
		F_U32(credential_2, per_day),
		F_U64(credential_2, time[0]),
		F_U64(credential_2, time[1]),
		F_U64(credential_2, time[2]),
		F_STR(credential_2, last_ip),
		F_STR(credential_2, text[4]),
		F_END,
	};
	static const struct field account_fields[] = {
		F_U32(account_2, state),
		F_STR(account_2, reason),
		F_STR(account_2, by),
		F_U64(account_2, since),
		F_U64(account_2, created),
		F_END,
	};
	static const struct field format_fields[] = { { FIELD_U32, 0, 4, NULL },
		F_END };
	struct credential_2 c = { .kind = CREDENTIAL_APP,
		.text = { "0123", "", "192.0.2.0/24", ALICE, "root" },
		.per_day = 5,
		.time = { 90, 7, 8 },
		.last_ip = "192.0.2.7" };
	struct account_2 a = { 0, "", "root", 7, 7 };
	uint8_t key[STORE_KEY_MAX];
	uint32_t two = 2;

	(void)arg;
	store_put(txn, TABLE_CREDENTIAL, store_pair(key, ALICE, "scanner"),
	    credential_fields, &c);
	store_put(txn, TABLE_ACCOUNT,
	    (struct bytes){ (const uint8_t *)ALICE, strlen(ALICE) },
	    account_fields, &a);
	store_put(txn, TABLE_META, (struct bytes){ (uint8_t *)"format", 6 },
	    format_fields, &two);
	return true;
}

static void
format_2_is_written_anew(void **state)
{
	struct credential c;
	struct account a;

	(void)state;
	store_open(dir);
	assert_int_equal(store_txn(STORE_SYNC, write_format_2, NULL), V_OK);
	reopen();
	assert_true(credential_get(NULL, ALICE, "scanner", &c));
	assert_string_equal(c.hash, "0123");
	assert_string_equal(c.networks, "192.0.2.0/24");
	assert_string_equal(c.senders, ALICE);
	assert_int_equal(c.limit[LIMIT_DAY], 5);
	assert_int_equal(c.limit[LIMIT_NEW], 0);
	assert_int_equal(c.expires, 90);
	assert_int_equal(c.last_use, 8);
	assert_string_equal(c.by, "root");
	assert_true(account_get(NULL, ALICE, &a));
	assert_int_equal(a.created, 7);
	assert_int_equal(a.grown, 0);
}

/* As format 1 had it. */
struct old_credential {
	uint32_t kind;
	char hash[384];
	uint64_t created, last_use;
	char last_ip[46];
};

static bool
write_older_format(struct txn *txn, void *arg)
{
	static const struct field old_fields[] = {
		F_U32(old_credential, kind),
		F_STR(old_credential, hash),
		F_U64(old_credential, created),
		F_U64(old_credential, last_use),
		F_STR(old_credential, last_ip),
		F_END,
	};
	static const struct field format_fields[] = { { FIELD_U32, 0, 4, NULL },
		F_END };
	struct old_credential row = { .hash = "$y$x",
		.created = 7,
		.last_use = 8,
		.last_ip = "192.0.2.7" };
	uint8_t key[STORE_KEY_MAX];
	uint32_t one = 1;
	char login[32];

	(void)arg;
	for (int i = 0; i < 3000; i++) {
		snprintf(login, sizeof(login), "u%d@example.org", i);
		store_put(txn, TABLE_CREDENTIAL,
		    store_pair(key, login, CREDENTIAL_PASSWORD), old_fields,
		    &row);
	}
	store_put(txn, TABLE_META, (struct bytes){ (uint8_t *)"format", 6 },
	    format_fields, &one);
	return true;
}

static void
an_older_format_is_written_anew(void **state)
{
	struct credential c;
	char login[32], copy[200], aside[200];

	(void)state;
	store_open(dir);
	assert_int_equal(store_txn(STORE_SYNC, write_older_format, NULL), V_OK);
	store_close();
	snprintf(copy, sizeof(copy), "%s/before-upgrade-1", dir);
	for (int again = 0; again < 2; again++) {
		store_open(dir);
		store_close();
		/* Kept for whoever wants to go back; made once. */
		assert_int_equal(access(copy, R_OK), again == 0 ? 0 : -1);
		if (again == 0) {
			snprintf(aside, sizeof(aside), "%s/aside", dir);
			assert_int_equal(rename(copy, aside), 0);
		}
		store_open(dir);
		for (int i = 0; i < 3000; i++) {
			snprintf(login, sizeof(login), "u%d@example.org", i);
			assert_true(credential_get(
			    NULL, login, CREDENTIAL_PASSWORD, &c));
			assert_string_equal(c.hash, "$y$x");
			assert_int_equal(c.created, 7);
			assert_int_equal(c.last_use, 8);
			assert_string_equal(c.last_ip, "192.0.2.7");
			assert_string_equal(c.scram, "");
			assert_int_equal(c.expires, 0);
		}
		store_close();
	}
	store_open(dir);
}

/* A login that is called like another purpose learns nothing of that. */
static void
what_follows_from_the_secret(void **state)
{
	unsigned char login[SECRET_BYTES], guard[SECRET_BYTES];
	unsigned char again[SECRET_BYTES];

	(void)state;
	store_open(dir);
	secret_derive("guard", strlen("guard"), login);
	secret_derive("guard", sizeof("guard"), guard);
	assert_memory_not_equal(login, guard, sizeof(login));
	reopen();
	secret_derive("guard", sizeof("guard"), again);
	assert_memory_equal(guard, again, sizeof(guard));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_or_nothing),
		TEST(lists_go_in_order),
		TEST(an_account_lives_and_dies),
		TEST(an_upgrade_never_undoes_a_change),
		TEST(grants_are_bounded),
		TEST(page_covers_what_is_granted),
		TEST(uses_are_written_together),
		TEST(a_removal_wins_over_a_login),
		TEST(what_was_answered_survives_kill),
		TEST(old_logs_go),
		TEST(only_one_has_it),
		TEST(a_full_disk_loses_nothing),
		TEST(a_newer_format_is_refused),
		TEST(an_older_format_is_written_anew),
		TEST(format_2_is_written_anew),
		TEST(what_follows_from_the_secret),
	};

	loop_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
