/*
 * cmd_init.c - postern init: from nothing, or from something broken, to a
 * server that can be started.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/accounts.h"
#include "ctl/client.h"
#include "ctl/commands.h"
#include "ctl/ctl.h"
#include "ctl/hostname.h"
#include "ctl/operand.h"
#include "ctl/ports.h"
#include "ctl/secret.h"
#include "ctl/setup.h"
#include "ctl/template.h"
#include "mail/domain.h"

struct init {
	struct ctl *c;
	struct setup setup;
	char account[ADDR_SIZE];    /* "" none was asked for */
	char password[SECRET_MADE]; /* "" it had one */
};

/* The hostname of a new configuration. */
static int
choose_hostname(const struct ctl *c, char out[256])
{
	const char *name = args_flag(&c->args, "hostname");

	if (name != NULL) {
		if (strlen(name) >= 256 || !domain_valid(name, strlen(name), 0))
			return output_fail(CODE_USAGE,
			    "--hostname: \"%.100s\" is not a host name like "
			    "mail.example.org",
			    name);
		snprintf(out, 256, "%s", name);
		return CODE_OK;
	}
	if (!hostname_guess(out))
		output_note("postern: this machine does not know its full "
			    "name, so hostname is %s: name it by --hostname, "
			    "or set it in the configuration before it serves",
		    out);
	return CODE_OK;
}

/* The absolute name of a file that need not exist, in a directory that need
 * not exist. */
static int
absolute(const char *file, char out[CONF_PATH])
{
	char here[PATH_MAX] = "";
	int n;

	if (*file != '/' && getcwd(here, sizeof(here)) == NULL)
		return output_fail(CODE_TEMP, "%s", strerror(errno));
	while (strncmp(file, "./", 2) == 0)
		file += 2;
	n = snprintf(
	    out, CONF_PATH, "%s%s%s", here, *file != '/' ? "/" : "", file);
	if (n >= CONF_PATH)
		return output_fail(
		    CODE_USAGE, "--config: the path is too long");
	return CODE_OK;
}

/* Parse the text of a configuration that is not there yet. */
static int
imagine(struct ctl *c)
{
	struct settings *s = &c->settings;
	struct settings_errors errors;
	char hostname[256];
	int code;

	if ((code = absolute(c->file, s->file)) != CODE_OK ||
	    (code = choose_hostname(c, hostname)) != CODE_OK)
		return code;
	errors.n = 0;
	s->text = template_text(s->file, hostname, geteuid() == 0);
	s->len = strlen(s->text);
	s->conf = conf_parse(s->file, s->text, s->len, settings_keep, &errors);
	if (s->conf != NULL)
		return CODE_OK;
	settings_tell(s->file, &errors);
	return CODE_CONF;
}

static int
load(struct ctl *c)
{
	const char *wanted = args_flag(&c->args, "hostname");
	int code;

	if (access(c->file, F_OK) == -1 && errno == ENOENT)
		return imagine(c);
	if ((code = settings_load(&c->settings, c->file)) != CODE_OK)
		return code;
	if (wanted != NULL && strcmp(wanted, c->settings.conf->hostname) != 0)
		output_note("postern: %s:%d: hostname = %s is left as it is; "
			    "change it there, then \"postern config check\"",
		    c->settings.file,
		    settings_line(&c->settings, "", "hostname"),
		    c->settings.conf->hostname);
	return CODE_OK;
}

static int
add_account(struct init *i)
{
	struct msg m = accounts_ask(ACCOUNT_ADD);
	struct msg_account_cmd *cmd = &m.u.account_cmd;
	struct msg_cmd_done done;
	struct daemon line;
	int code;

	if (i->account[0] == '\0')
		return CODE_OK;
	if (i->setup.dry) {
		json_array_append_new(
		    i->setup.made, json_sprintf("account %s", i->account));
		return CODE_OK;
	}
	if ((code = accounts_open(&line, i->c)) != CODE_OK)
		return code;
	memcpy(cmd->account, i->account, ADDR_SIZE);
	secret_generate(i->password);
	memcpy(cmd->secret, i->password, sizeof(i->password));
	code = daemon_ask(&line, &m, NULL, NULL, &done);
	daemon_close(&line);
	if (code == CODE_OK && done.exit_code == CODE_OK)
		json_array_append_new(
		    i->setup.made, json_sprintf("account %s", i->account));
	else
		explicit_bzero(i->password, sizeof(i->password));
	/* That it is there already is what was wanted. */
	if (code == CODE_OK && done.exit_code != CODE_EXISTS)
		code = daemon_settle(&done);
	explicit_bzero(&m, sizeof(m));
	return code;
}

/* What to type into a mail program. */
static void
print_client(const struct init *i)
{
	const struct conf *c = i->c->settings.conf;
	unsigned tls = client_port(c, TLS_MODE_IMPLICIT);
	unsigned starttls = client_port(c, TLS_MODE_STARTTLS);

	printf("mail program   server %s", c->hostname);
	if (tls != 0)
		printf(", port %u with TLS", tls);
	if (starttls != 0)
		printf("%s port %u with STARTTLS", tls != 0 ? " or" : ",",
		    starttls);
	printf("\n");
	if (i->account[0] != '\0')
		printf("               user %s, %s\n", i->account,
		    i->password[0] != '\0' ? "the password above"
					   : "the password it has");
}

static void
print_next(const struct init *i)
{
	const struct settings *s = &i->c->settings;
	bool standard = strcmp(s->file, CONF_DEFAULT_FILE) == 0;
	bool systemd = access("/run/systemd/system", F_OK) == 0, running;

	if (i->setup.dry) {
		if (json_array_size(i->setup.made) > 0)
			printf("nothing was changed; without --dry-run it "
			       "would be\n");
		return;
	}
	running = daemon_running(s);
	if (running)
		printf("next           the server runs already; "
		       "\"postern status\" tells more\n");
	else if (standard && systemd)
		printf("next           systemctl enable --now postern\n");
	else
		printf("next           postern%s%s serve\n",
		    standard ? "" : " --config ", standard ? "" : s->file);
	if (i->account[0] == '\0')
		printf("               postern%s%s account add ADDRESS\n",
		    standard ? "" : " --config ", standard ? "" : s->file);
	print_client(i);
	if (!running)
		ports_note(s->conf);
}

static void
print_page(const struct init *i)
{
	const json_t *made = i->setup.made;

	for (size_t n = 0; n < json_array_size(made); n++)
		printf("%-14s %s\n", i->setup.dry ? "would make" : "made",
		    json_string_value(json_array_get(made, n)));
	if (json_array_size(i->setup.made) == 0)
		printf(
		    "%-14s everything; %s\n", "in place", i->c->settings.file);
	if (i->password[0] != '\0')
		printf("%-14s %s   (shown only this once)\n", "password",
		    i->password);
	print_next(i);
}

static void
print_json(const struct init *i)
{
	const struct settings *s = &i->c->settings;
	json_t *j = json_pack("{s:o, s:s, s:b, s:O}", "config",
	    output_string(s->file), "hostname", s->conf->hostname, "changed",
	    !i->setup.dry && json_array_size(i->setup.made) > 0, "made",
	    i->setup.made);

	if (i->account[0] != '\0')
		json_object_set_new(j, "account", json_string(i->account));
	if (i->password[0] != '\0')
		json_object_set_new(j, "password", json_string(i->password));
	output_document(j);
}

/* The configuration comes last of what the server needs: when it is there,
 * so is the rest. */
static int
make_everything(struct init *i)
{
	struct settings *s = &i->c->settings;
	int code;

	if ((code = setup_users(&i->setup)) != CODE_OK ||
	    (code = setup_directories(&i->setup)) != CODE_OK ||
	    (code = setup_certificate(&i->setup)) != CODE_OK ||
	    (code = setup_configuration(&i->setup, s->file, s->text)) !=
		CODE_OK)
		return code;
	return add_account(i);
}

int
cmd_init(struct ctl *c)
{
	struct init i = { .c = c };
	int code;

	if (c->args.nwords > 0 &&
	    (code = operand_address(c->args.words[0], i.account)) != CODE_OK)
		return code;
	if ((code = load(c)) != CODE_OK)
		return code;
	i.setup.conf = c->settings.conf;
	i.setup.dry = args_flag(&c->args, "dry-run") != NULL;
	i.setup.root = geteuid() == 0;
	i.setup.made = json_array();
	code = make_everything(&i);
	if (code == CODE_OK) {
		if (c->out.mode == OUTPUT_JSON)
			print_json(&i);
		else
			print_page(&i);
	}
	json_decref(i.setup.made);
	explicit_bzero(i.password, sizeof(i.password));
	return code;
}
