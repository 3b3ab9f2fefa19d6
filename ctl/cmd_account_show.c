/*
 * cmd_account_show.c - postern account show: the page of one account.
 *
 * It is put together from what several commands tell of it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/account_row.h"
#include "ctl/accounts.h"
#include "ctl/commands.h"
#include "ctl/credential.h"
#include "ctl/ctl.h"
#include "ctl/limits.h"
#include "ctl/operand.h"
#include "ctl/text.h"
#include "lib/shell.h"

/* Rows of one kind that came. */
struct rows {
	struct msg *all;
	size_t n;
};

struct page {
	struct msg_account_row row;
	struct msg_limits_row limits;
	struct rows grants, app_passwords, certificates, logins, evidence;
};

static void
add(struct rows *rows, const struct msg *m)
{
	rows->all = realloc(rows->all, (rows->n + 1) * sizeof(*m));
	if (rows->all == NULL)
		abort();
	rows->all[rows->n++] = *m;
}

static void
page_row(void *arg, const struct msg *m)
{
	struct page *p = arg;

	if (m->type == MSG_ACCOUNT_ROW)
		p->row = m->u.account_row;
	else if (m->type == MSG_LIMITS_ROW)
		p->limits = m->u.limits_row;
	else if (m->type == MSG_GRANT_ROW)
		add(&p->grants, m);
	else if (m->type == MSG_LOGIN_ROW)
		add(&p->logins, m);
	else if (m->type == MSG_STATUS_ROW)
		add(&p->evidence, m);
	else if (m->type == MSG_CREDENTIAL_ROW)
		add(m->u.credential_row.kind == CREDENTIAL_APP
			? &p->app_passwords
			: &p->certificates,
		    m);
}

static bool
is_frozen(const struct page *p)
{
	return p->row.state == ACC_SUSPENDED && strcmp(p->row.by, "guard") == 0;
}

static void
print_state(const struct output *o, const struct msg_account_row *r)
{
	bool good = r->state == ACC_ACTIVE;
	char by[512], reason[800], since[TEXT_SHORT];
	char word[SHELL_SIZE(ADDR_SIZE)];

	if (good) {
		output_field(o, "state", "%sactive%s", output_on(o, TONE_GOOD),
		    output_off(o));
		return;
	}
	output_field(o, "state", "%s%s%s since %s by %s",
	    output_on(o, TONE_BAD), account_state(r->state), output_off(o),
	    text_time(since, r->since), text_clean(by, sizeof(by), r->by));
	output_field(
	    o, "reason", "%s", text_clean(reason, sizeof(reason), r->reason));
	shell_word(word, sizeof(word), r->account);
	if (strcmp(r->by, "guard") == 0)
		output_field(o, "evidence", "postern guard explain %s", word);
	output_field(o, "undo", "postern account resume %s", word);
}

/* The addresses, as far as they go into out. */
static const char *
may_send(const struct page *p, char *out, size_t size)
{
	char clean[ADDR_SIZE * 4];
	size_t n = 0;

	out[0] = '\0';
	for (size_t i = 0; i < p->grants.n && n < size; i++) {
		text_clean(
		    clean, sizeof(clean), p->grants.all[i].u.grant_row.address);
		n += (size_t)snprintf(
		    out + n, size - n, "%s%s", i > 0 ? ", " : "", clean);
	}
	return out;
}

static void
print_fields(const struct output *o, const struct page *p)
{
	const struct msg_account_row *r = &p->row;
	char text[TEXT_SHORT], grants[1000], word[SHELL_SIZE(ADDR_SIZE)];

	output_field(o, "address", "%s", r->account);
	print_state(o, r);
	output_field(
	    o, "may send as", "%s", may_send(p, grants, sizeof(grants)));
	output_field(o, "password", "%s%s", r->hash,
	    r->weak ? " (weak; made anew at the next login)" : "");
	if (r->legacy)
		output_field(o, "old devices",
		    "may log in at listeners with \"legacy = yes\"");
	output_field(o, "last login", "%s%s%s", text_time(text, r->last_login),
	    r->last_login != 0 ? " from " : "",
	    r->last_login != 0 ? r->last_ip : "");
	output_field(o, "sent",
	    "%u recipients in this hour, %u in this day with what was refused",
	    r->sent_hour, r->sent_day);
	output_field(o, "created", "%s", text_time(text, r->created));
	output_field(o, "queue", "postern queue list --account %s",
	    shell_word(word, sizeof(word), r->account));
}

static void
print_limits(struct output *o, const struct page *p)
{
	struct cell cells[LIMITS_COLUMNS];

	printf("\n");
	output_begin(o, limits_columns, LIMITS_COLUMNS);
	for (int l = 0; l < LIMITS; l++) {
		limits_cells(&p->limits, (enum limit)l, true, cells);
		output_row(o, cells);
	}
	output_end(o, NULL);
}

static void
print_credentials(
    struct output *o, const char *heading, const struct rows *rows)
{
	struct cell cells[CREDENTIAL_COLUMNS];

	if (rows->n == 0)
		return;
	printf("\n%s\n", heading);
	output_begin(o, credential_columns, CREDENTIAL_COLUMNS);
	for (size_t i = 0; i < rows->n; i++) {
		credential_cells(&rows->all[i].u.credential_row, cells);
		output_row(o, cells);
	}
	output_end(o, NULL);
}

/* The last of them; "account logins" has more. */
static void
print_logins(struct output *o, const struct rows *rows)
{
	struct cell cells[LOGIN_COLUMNS];

	if (rows->n == 0)
		return;
	printf("\nlast logins\n");
	output_begin(o, login_columns, LOGIN_COLUMNS);
	for (size_t i = 0; i < rows->n && i < 5; i++) {
		login_cells(&rows->all[i].u.login_row, cells);
		output_row(o, cells);
	}
	output_end(o, NULL);
}

static json_t *
json_credentials(const struct rows *rows)
{
	struct cell cells[CREDENTIAL_COLUMNS];
	json_t *list = json_array();

	for (size_t i = 0; i < rows->n; i++) {
		credential_cells(&rows->all[i].u.credential_row, cells);
		json_array_append_new(list,
		    output_object(
			credential_columns, CREDENTIAL_COLUMNS, cells));
	}
	return list;
}

static json_t *
json_limits(const struct page *p)
{
	struct cell cells[LIMITS_COLUMNS];
	json_t *list = json_array();

	for (int l = 0; l < LIMITS; l++) {
		limits_cells(&p->limits, (enum limit)l, false, cells);
		json_array_append_new(
		    list, output_object(limits_columns, LIMITS_COLUMNS, cells));
	}
	return list;
}

static json_t *
json_logins(const struct rows *rows)
{
	struct cell cells[LOGIN_COLUMNS];
	json_t *list = json_array();

	for (size_t i = 0; i < rows->n; i++) {
		login_cells(&rows->all[i].u.login_row, cells);
		json_array_append_new(
		    list, output_object(login_columns, LOGIN_COLUMNS, cells));
	}
	return list;
}

static json_t *
json_evidence(const struct page *p)
{
	json_t *object;

	if (!is_frozen(p))
		return json_null();
	object = json_object();
	for (size_t i = 0; i < p->evidence.n; i++) {
		const struct msg_status_row *r =
		    &p->evidence.all[i].u.status_row;

		json_object_set_new(object, r->key,
		    r->numeric
			? json_integer((json_int_t)strtoull(r->value, NULL, 10))
			: output_string(r->value));
	}
	return object;
}

static void
print_json(const struct page *p)
{
	struct cell cells[ACCOUNT_COLUMNS];
	json_t *j, *grants = json_array();

	account_cells(&p->row, cells);
	j = output_object(account_columns, ACCOUNT_COLUMNS, cells);
	for (size_t i = 0; i < p->grants.n; i++)
		json_array_append_new(grants,
		    output_string(p->grants.all[i].u.grant_row.address));
	json_object_set_new(j, "may_send", grants);
	json_object_set_new(j, "limits", json_limits(p));
	json_object_set_new(
	    j, "app_passwords", json_credentials(&p->app_passwords));
	json_object_set_new(
	    j, "certificates", json_credentials(&p->certificates));
	json_object_set_new(j, "logins", json_logins(&p->logins));
	json_object_set_new(j, "evidence", json_evidence(p));
	output_document(j);
}

/* All questions on one line; the first "no" ends it. */
static int
gather(struct daemon *line, const char *account, struct page *p)
{
	static const enum account_verb verbs[] = { ACCOUNT_SHOW, ACCOUNT_LIMITS,
		APP_PASSWORD_LIST, CERTIFICATE_LIST, ACCOUNT_LOGINS,
		GUARD_EXPLAIN };
	int code = CODE_OK;

	for (size_t i = 0;
	     i < sizeof(verbs) / sizeof(verbs[0]) && code == CODE_OK; i++) {
		struct msg m = accounts_ask(verbs[i]);

		strcpy(m.u.account_cmd.account, account);
		code = daemon_call(line, &m, page_row, p, NULL);
	}
	return code;
}

static void
print(struct output *o, const struct page *p)
{
	print_fields(o, p);
	print_limits(o, p);
	print_credentials(o, "app passwords", &p->app_passwords);
	print_credentials(o, "certificates", &p->certificates);
	print_logins(o, &p->logins);
}

int
cmd_account_show(struct ctl *c)
{
	struct page page = { 0 };
	char account[ADDR_SIZE];
	struct daemon line;
	int code = operand_address(c->args.words[0], account);

	if (code != CODE_OK || (code = accounts_open(&line, c)) != CODE_OK)
		return code;
	code = gather(&line, account, &page);
	daemon_close(&line);
	if (code == CODE_OK && c->out.mode == OUTPUT_JSON)
		print_json(&page);
	else if (code == CODE_OK)
		print(&c->out, &page);
	free(page.grants.all);
	free(page.app_passwords.all);
	free(page.certificates.all);
	free(page.logins.all);
	free(page.evidence.all);
	return code;
}
