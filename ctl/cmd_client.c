/*
 * cmd_client.c - postern client-settings.
 */
#include <stdlib.h>
#include <string.h>

#include "ctl/client.h"
#include "ctl/commands.h"
#include "ctl/ctl.h"
#include "ctl/operand.h"
#include "ctl/qr.h"
#include "ctl/text.h"

static int
print_text(const struct ctl *c, const struct client *m)
{
	char clean[ADDR_SIZE * 4];

	text_clean(clean, sizeof(clean), m->address);
	output_field(&c->out, "address", "%s", clean);
	output_field(&c->out, "user name", "%s  (the whole address)", clean);
	output_field(&c->out, "password", "the account's; \"normal password\"");
	output_field(&c->out, "send by", "%s", m->hostname);
	for (size_t i = 0; i < m->nports; i++)
		output_field(&c->out, i == 0 ? "port" : "or", "%u, %s",
		    m->ports[i].number,
		    m->ports[i].tls == TLS_MODE_IMPLICIT ? "SSL/TLS"
							 : "STARTTLS");
	if (m->imap_host[0] != '\0')
		output_field(&c->out, "read from", "%s, IMAP, port %u, SSL/TLS",
		    m->imap_host, m->imap_port);
	return CODE_OK;
}

static int
print_json(const struct ctl *c, const struct client *m)
{
	(void)c;
	output_document(client_json(m));
	return CODE_OK;
}

static int
print_autoconfig(const struct ctl *c, const struct client *m)
{
	(void)c;
	client_autoconfig(m, stdout);
	return CODE_OK;
}

static int
print_mobileconfig(const struct ctl *c, const struct client *m)
{
	(void)c;
	client_mobileconfig(m, stdout);
	return CODE_OK;
}

static int
print_qr(const struct ctl *c, const struct client *m)
{
	json_t *document = client_mobile(m);
	char *text = json_dumps(document, JSON_COMPACT);
	int code = CODE_OK;

	if (text == NULL || !qr_draw(text, c->out.color, stdout))
		code = output_fail(CODE_USAGE,
		    "%s does not fit a QR code that this program reads",
		    m->address);
	free(text);
	json_decref(document);
	return code;
}

static const struct format {
	const char *name;
	bool needs_imap;
	int (*print)(const struct ctl *, const struct client *);
} formats[] = {
	{ "text", false, print_text },
	{ "json", false, print_json },
	{ "autoconfig", true, print_autoconfig },
	{ "mobileconfig", true, print_mobileconfig },
	{ "qr", true, print_qr },
};

/* The format that is asked for, or NULL. */
static const struct format *
find_format(const struct ctl *c)
{
	const char *name = args_flag(&c->args, "format");

	if (name == NULL)
		name = c->out.mode == OUTPUT_JSON ? "json" : "text";
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (strcmp(formats[i].name, name) == 0)
			return &formats[i];
	return NULL;
}

int
cmd_client_settings(struct ctl *c)
{
	const struct format *format = find_format(c);
	const char *imap = args_flag(&c->args, "imap");
	char address[ADDR_SIZE];
	struct client m;
	int code;

	if (format == NULL)
		return output_fail(CODE_USAGE,
		    "--format needs text, json, autoconfig, mobileconfig or "
		    "qr");
	if ((code = operand_address(c->args.words[0], address)) != CODE_OK ||
	    (code = settings_load(&c->settings, c->file)) != CODE_OK)
		return code;
	if (!client_init(&m, address, c->settings.conf))
		return output_fail(CODE_CONF,
		    "%s: every [listen] is for old devices; add one without "
		    "\"legacy = yes\"",
		    c->settings.file);
	if (imap != NULL && !client_set_imap(&m, imap))
		return output_fail(
		    CODE_USAGE, "--imap needs HOST or HOST:PORT");
	if (format->needs_imap && imap == NULL)
		return output_fail(CODE_USAGE,
		    "programs take %s only with a server to read mail from: "
		    "add --imap HOST",
		    format->name);
	return format->print(c, &m);
}
