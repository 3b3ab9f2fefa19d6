/*
 * cmd_tls.c - postern tls show, postern tls reload.
 *
 * Certificates are public and read here.  Their keys are not: the auth of the
 * running server says which keys it signs with.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctl/accounts.h"
#include "ctl/commands.h"
#include "ctl/ctl.h"
#include "ctl/text.h"
#include "ctl/tlsfile.h"

#define SOON_DAYS 14
#define RELOAD_MS 10000 /* as long as smtpd goes on trying */
#define LOOK_MS   100
#define PROBLEMS  8

/* One certificate, and what is wrong with it. */
struct page {
	const struct conf_tls *section;
	struct tlsfile file;
	const struct msg_key_row *row; /* of the running auth, or NULL */
	bool key_fits;
	int64_t days;
	char problems[PROBLEMS][TLSFILE_TEXT + 200];
	unsigned nproblems;
};

struct keys {
	struct msg_key_row rows[CONF_TLS];
	size_t n;
};

static void problem(struct page *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
problem(struct page *p, const char *fmt, ...)
{
	va_list ap;

	if (p->nproblems == PROBLEMS)
		return;
	va_start(ap, fmt);
	vsnprintf(p->problems[p->nproblems], sizeof(p->problems[0]), fmt, ap);
	va_end(ap);
	p->nproblems++;
}

static void
on_key(void *arg, const struct msg *m)
{
	struct keys *k = arg;

	if (m->type == MSG_KEY_ROW && k->n < CONF_TLS)
		k->rows[k->n++] = m->u.key_row;
}

/* What the running server has, CODE_DOWN in silence when none runs. */
static int
ask_keys(struct ctl *c, struct keys *k)
{
	struct msg m = accounts_ask(KEY_LIST);
	struct daemon line;
	int code;

	k->n = 0;
	if (!daemon_running(&c->settings))
		return CODE_DOWN;
	code = daemon_open(&line, &c->settings, SERVICE_AUTH);
	if (code == CODE_OK)
		code = daemon_call(&line, &m, on_key, k, NULL);
	daemon_close(&line);
	return code;
}

static const struct msg_key_row *
find_row(const struct keys *k, const char *section)
{
	for (size_t i = 0; k != NULL && i < k->n; i++)
		if (strcmp(k->rows[i].section, section) == 0)
			return &k->rows[i];
	return NULL;
}

static void
check_key(struct page *p, bool running)
{
	char error[TLSFILE_TEXT] = "";

	if (!running) {
		p->key_fits = tlsfile_key_fits(&p->file, p->section, error);
		if (!p->key_fits)
			problem(p, "%s", error);
		return;
	}
	p->key_fits = p->row != NULL && strcmp(p->row->key, p->file.key) == 0;
	if (p->row == NULL)
		problem(p,
		    "the server does not know this section; \"postern config "
		    "check\", then reload it with SIGHUP");
	else if (p->row->error[0] != '\0')
		problem(p,
		    "%s: %.160s; put the right pair there, then \"postern tls "
		    "reload\"",
		    p->section->key, p->row->error);
	else if (!p->key_fits)
		problem(p,
		    "the server signs with the key of another certificate: "
		    "\"postern tls reload\" reads the files again; if [tls] "
		    "was changed, reload the server with SIGHUP");
}

static void
check_kind(struct page *p)
{
	if (!p->file.usable)
		problem(p,
		    "no client agrees to its key (%s, %u bits): get one with "
		    "an RSA key of %d bits or more, or ECDSA on P-256 or P-384",
		    p->file.type, p->file.bits, TLSFILE_RSA_LEAST);
}

static void
check_time(struct page *p, int64_t now)
{
	p->days = ((int64_t)p->file.expires - now) / 86400;
	if ((int64_t)p->file.begins > now)
		problem(p, "it is not valid yet; is the clock right?");
	if ((int64_t)p->file.expires <= now)
		problem(p, "it has expired; renew it");
}

static void
check_soon(struct page *p, int64_t now)
{
	if ((int64_t)p->file.expires > now && p->days < SOON_DAYS)
		problem(p, "it ends in %" PRId64 " days; renew it", p->days);
}

static void
check_chain(struct page *p)
{
	if (p->file.chain == CHAIN_SHORT)
		problem(p,
		    "the chain is not complete: put the certificates between "
		    "it and the root behind it in the file (fullchain.pem, not "
		    "cert.pem)");
	else if (p->file.chain == CHAIN_WRONG)
		problem(p, "the chain is wrong: %s", p->file.chain_error);
}

/* Is it the pair that "postern init" makes? */
static bool
is_own(const struct page *p, const struct ctl *c)
{
	const struct conf *conf = c->settings.conf;

	return p->section == conf->tls && p->file.self_signed &&
	    conf_line(conf, "tls", "certificate") == 0;
}

/* k NULL: as the files are, for a server to come. */
static void
inspect(struct page *p, const struct ctl *c, const struct keys *k, bool running)
{
	int64_t now = time(NULL);
	const struct conf *conf = c->settings.conf;
	const char *name =
	    *p->section->name != '\0' ? p->section->name : conf->hostname;

	tlsfile_read(&p->file, p->section, conf->ca_file);
	p->row = find_row(k, p->section->name);
	if (p->file.error[0] != '\0') {
		problem(p, "%s", p->file.error);
		return;
	}
	check_time(p, now);
	if (k != NULL)
		check_soon(p, now);
	if (!tlsfile_covers(&p->file, name))
		problem(p,
		    is_own(p, c)
			? "it is not for %s; move it and its key away, and "
			  "\"postern init\" makes one that is"
			: "it is not for %s; get one that is",
		    name);
	check_kind(p);
	check_chain(p);
	check_key(p, running);
}

static int
line_of(const struct conf *c, const struct conf_tls *t)
{
	return t == c->tls ? conf_line(c, "tls", "certificate") : t->line;
}

int
tls_check(struct ctl *c, conf_error_fn *error, void *arg)
{
	const struct conf *conf = c->settings.conf;
	struct page *p = malloc(sizeof(*p));
	char text[CONF_PATH + sizeof(p->problems[0])];
	int bad = 0;

	if (p == NULL)
		abort();
	for (size_t i = 0; i < conf->ntls; i++) {
		memset(p, 0, sizeof(*p));
		p->section = &conf->tls[i];
		inspect(p, c, NULL, false);
		for (unsigned n = 0; n < p->nproblems; n++, bad++) {
			/* Some name the file themselves. */
			snprintf(text, sizeof(text), "%s%s%s",
			    *p->problems[n] != '/' ? p->section->certificate
						   : "",
			    *p->problems[n] != '/' ? ": " : "", p->problems[n]);
			error(arg, line_of(conf, p->section), text, "");
		}
	}
	free(p);
	return bad;
}

static const char *
chain_name(enum tlsfile_chain c)
{
	static const char *const names[CHAIN_COUNT] = {
		[CHAIN_COMPLETE] = "complete",
		[CHAIN_SELF] = "self-signed",
		[CHAIN_SHORT] = "incomplete",
		[CHAIN_PRIVATE] = "private",
		[CHAIN_WRONG] = "wrong",
	};

	return names[c];
}

static json_t *
page_json(const struct page *p)
{
	json_t *names = json_array(), *problems = json_array();
	const struct tlsfile *f = &p->file;
	json_t *j;

	for (unsigned i = 0; i < f->nnames; i++)
		json_array_append_new(names, output_string(f->names[i]));
	for (unsigned i = 0; i < p->nproblems; i++)
		json_array_append_new(problems, output_string(p->problems[i]));
	j = json_pack("{s:o, s:o, s:b, s:o}", "section",
	    output_string(p->section->name), "certificate",
	    output_string(p->section->certificate), "ok", p->nproblems == 0,
	    "problems", problems);
	if (f->error[0] != '\0') {
		json_decref(names);
		return j;
	}
	json_object_set_new(j, "names", names);
	json_object_set_new(j, "issuer", output_string(f->issuer));
	json_object_set_new(j, "expires", output_time(f->expires));
	json_object_set_new(j, "days_left", json_integer(p->days));
	json_object_set_new(j, "chain", json_string(chain_name(f->chain)));
	json_object_set_new(j, "key_type", output_string(f->type));
	json_object_set_new(j, "key_bits", json_integer(f->bits));
	json_object_set_new(j, "key_matches", json_boolean(p->key_fits));
	return j;
}

static void
print_names(const struct output *o, const struct tlsfile *f)
{
	char line[1000] = "", clean[1024];
	size_t n = 0;

	for (unsigned i = 0; i < f->nnames && n < sizeof(line) - 260; i++)
		n += (size_t)snprintf(line + n, sizeof(line) - n, "%s%s",
		    i > 0 ? ", " : "", f->names[i]);
	output_field(o, "names", "%s", text_clean(clean, sizeof(clean), line));
}

static void
print_page(const struct output *o, const struct page *p)
{
	const struct tlsfile *f = &p->file;
	char when[TEXT_SHORT];

	output_field(o, "certificate", "%s", p->section->certificate);
	output_field(o, "section", "[tls%s%s]",
	    *p->section->name != '\0' ? " " : "", p->section->name);
	if (f->error[0] == '\0') {
		print_names(o, f);
		output_field(o, "issuer", "%s", f->issuer);
		output_field(o, "expires", "%s, %s%" PRId64 " days left%s",
		    text_time(when, f->expires),
		    output_on(o, p->days < SOON_DAYS ? TONE_BAD : TONE_GOOD),
		    p->days, output_off(o));
		output_field(o, "chain", "%s", chain_name(f->chain));
		output_field(o, "key", "%s %u bits, %s", f->type, f->bits,
		    p->key_fits ? "matches" : "does not match");
	}
	for (unsigned i = 0; i < p->nproblems; i++)
		output_field(o, "problem", "%s%s%s", output_on(o, TONE_BAD),
		    p->problems[i], output_off(o));
}

/* Every certificate; CODE_NO when something is wrong with one. */
static int
show(struct ctl *c, const struct keys *k, bool running)
{
	const struct conf *conf = c->settings.conf;
	struct page *p = malloc(sizeof(*p));
	json_t *list = json_array();
	int code = CODE_OK;

	if (p == NULL)
		abort();
	for (size_t i = 0; i < conf->ntls; i++) {
		memset(p, 0, sizeof(*p));
		p->section = &conf->tls[i];
		inspect(p, c, k, running);
		if (p->nproblems > 0)
			code = CODE_NO;
		if (c->out.mode == OUTPUT_JSON) {
			json_array_append_new(list, page_json(p));
			continue;
		}
		if (i > 0)
			printf("\n");
		print_page(&c->out, p);
	}
	if (c->out.mode == OUTPUT_JSON)
		output_document(json_pack(
		    "{s:b, s:O}", "running", running, "certificates", list));
	json_decref(list);
	free(p);
	return code;
}

int
cmd_tls_show(struct ctl *c)
{
	struct keys *k = calloc(1, sizeof(*k));
	int code = daemon_find(&c->settings, c->file);

	if (k == NULL)
		abort();
	if (code == CODE_OK) {
		code = ask_keys(c, k);
		if (code == CODE_OK || code == CODE_DOWN)
			code = show(c, k, code == CODE_OK);
	}
	free(k);
	return code;
}

static int
ask_parent(struct ctl *c)
{
	struct msg m = { .type = MSG_TLS_RELOAD };

	return daemon_call_once(&c->settings, SERVICE_PARENT, &m, NULL, NULL);
}

/* Whether auth has what the files of the section hold now. */
static bool
is_there(const struct ctl *c, const struct keys *k, const struct conf_tls *t,
    const struct msg_key_row **row)
{
	struct tlsfile *f = malloc(sizeof(*f));
	bool there;

	if (f == NULL)
		abort();
	tlsfile_read(f, t, c->settings.conf->ca_file);
	*row = find_row(k, t->name);
	there = *row != NULL && (*row)->error[0] == '\0' &&
	    f->error[0] == '\0' && strcmp((*row)->key, f->key) == 0;
	free(f);
	return there;
}

/* The server has read the files: what has it made of them? */
static int
settle(struct ctl *c, struct keys *k)
{
	const struct conf *conf = c->settings.conf;
	const struct msg_key_row *row = NULL;
	size_t i = 0;
	int code;

	for (int waited = 0;; waited += LOOK_MS) {
		if ((code = ask_keys(c, k)) != CODE_OK)
			return code;
		for (; i < conf->ntls; i++)
			if (!is_there(c, k, &conf->tls[i], &row))
				break;
		if (i == conf->ntls || waited >= RELOAD_MS ||
		    (row != NULL && row->error[0] != '\0'))
			break;
		nanosleep(
		    &(struct timespec){ .tv_nsec = LOOK_MS * 1000000 }, NULL);
	}
	if (i == conf->ntls) {
		output_note("certificates and keys were read again; new "
			    "connections get them");
		return CODE_OK;
	}
	return output_fail(CODE_NO,
	    "%s and %s: %s; the server goes on with the old ones",
	    conf->tls[i].certificate, conf->tls[i].key,
	    row != NULL && row->error[0] != '\0'
		? row->error
		: "not in use; \"postern config check\", then reload the "
		  "server with SIGHUP");
}

int
cmd_tls_reload(struct ctl *c)
{
	struct keys *k = calloc(1, sizeof(*k));
	int code = daemon_find(&c->settings, c->file);

	if (k == NULL)
		abort();
	if (code == CODE_OK && (code = ask_parent(c)) == CODE_OK)
		code = settle(c, k);
	free(k);
	return code;
}
