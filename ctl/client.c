/*
 * client.c - see client.h.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/client.h"
#include "ctl/output.h"
#include "lib/sha256.h"
#include "mail/domain.h"

#define IMAPS 993

static void
add_port(struct client *c, unsigned number, enum tls_mode tls)
{
	size_t at = c->nports;

	for (size_t i = 0; i < c->nports; i++)
		if (c->ports[i].number == number)
			return;
	if (tls == TLS_MODE_IMPLICIT)
		for (at = 0; at < c->nports; at++)
			if (c->ports[at].tls != TLS_MODE_IMPLICIT)
				break;
	memmove(&c->ports[at + 1], &c->ports[at],
	    (c->nports - at) * sizeof(c->ports[0]));
	c->ports[at] = (struct client_port){ number, tls };
	c->nports++;
}

/* Behind a load balancer is another port than the one that clients know; where
 * there are no others, it is taken for the same. */
static bool
is_for_clients(const struct conf *conf, const struct conf_listen *l)
{
	if (l->legacy || l->nproxies == 0)
		return !l->legacy;
	for (size_t i = 0; i < conf->nlistens; i++)
		if (!conf->listens[i].legacy && conf->listens[i].nproxies == 0)
			return false;
	return true;
}

unsigned
client_port(const struct conf *conf, enum tls_mode tls)
{
	for (size_t i = 0; i < conf->nlistens; i++) {
		const struct conf_listen *l = &conf->listens[i];

		if (l->tls == tls && is_for_clients(conf, l))
			return net_port(
			    (const struct sockaddr *)&l->address.ss);
	}
	return 0;
}

bool
client_init(struct client *c, const char *address, const struct conf *conf)
{
	const struct conf_listen *l;

	memset(c, 0, sizeof(*c));
	snprintf(c->address, sizeof(c->address), "%s", address);
	c->domain = strrchr(c->address, '@') + 1;
	c->hostname = conf->hostname;
	for (size_t i = 0; i < conf->nlistens; i++) {
		l = &conf->listens[i];
		if (is_for_clients(conf, l))
			add_port(c,
			    net_port((const struct sockaddr *)&l->address.ss),
			    l->tls);
	}
	return c->nports > 0;
}

bool
client_set_imap(struct client *c, const char *text)
{
	const char *colon = strchr(text, ':');
	size_t n = colon != NULL ? (size_t)(colon - text) : strlen(text);
	unsigned long port = IMAPS;
	char *rest;

	if (n >= sizeof(c->imap_host) || !domain_valid(text, n, 0))
		return false;
	if (colon != NULL) {
		port = strtoul(colon + 1, &rest, 10);
		if (colon[1] < '0' || colon[1] > '9' || *rest != '\0' ||
		    port == 0 || port > 65535)
			return false;
	}
	memcpy(c->imap_host, text, n);
	c->imap_host[n] = '\0';
	c->imap_port = (unsigned)port;
	return true;
}

static const char *
security(enum tls_mode tls)
{
	return tls == TLS_MODE_IMPLICIT ? "tls" : "starttls";
}

json_t *
client_json(const struct client *c)
{
	json_t *list = json_array(), *imap = json_null();

	for (size_t i = 0; i < c->nports; i++)
		json_array_append_new(list,
		    json_pack("{s:s, s:i, s:s}", "host", c->hostname, "port",
			(int)c->ports[i].number, "security",
			security(c->ports[i].tls)));
	if (c->imap_host[0] != '\0')
		imap = json_pack("{s:s, s:i, s:s}", "host", c->imap_host,
		    "port", (int)c->imap_port, "security", "tls");
	return json_pack("{s:o, s:o, s:s, s:o, s:o}", "address",
	    output_string(c->address), "user", output_string(c->address),
	    "authentication", "password", "smtp", list, "imap", imap);
}

/* Text between tags. */
static void
escape(FILE *f, const char *s)
{
	for (; *s != '\0'; s++)
		switch (*s) {
		case '&':
			fputs("&amp;", f);
			break;
		case '<':
			fputs("&lt;", f);
			break;
		case '>':
			fputs("&gt;", f);
			break;
		default:
			putc(*s, f);
		}
}

static void
autoconfig_server(FILE *f, const char *direction, const char *type,
    const char *host, unsigned port, enum tls_mode tls)
{
	fprintf(f,
	    "    <%sServer type=\"%s\">\n"
	    "      <hostname>%s</hostname>\n"
	    "      <port>%u</port>\n"
	    "      <socketType>%s</socketType>\n"
	    "      <authentication>password-cleartext</authentication>\n"
	    "      <username>%%EMAILADDRESS%%</username>\n"
	    "    </%sServer>\n",
	    direction, type, host, port,
	    tls == TLS_MODE_IMPLICIT ? "SSL" : "STARTTLS", direction);
}

void
client_autoconfig(const struct client *c, FILE *f)
{
	fprintf(f,
	    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	    "<clientConfig version=\"1.1\">\n"
	    "  <emailProvider id=\"%s\">\n"
	    "    <domain>%s</domain>\n"
	    "    <displayName>%s</displayName>\n"
	    "    <displayShortName>%s</displayShortName>\n",
	    c->domain, c->domain, c->domain, c->domain);
	autoconfig_server(f, "incoming", "imap", c->imap_host, c->imap_port,
	    TLS_MODE_IMPLICIT);
	for (size_t i = 0; i < c->nports; i++)
		autoconfig_server(f, "outgoing", "smtp", c->hostname,
		    c->ports[i].number, c->ports[i].tls);
	fputs("  </emailProvider>\n"
	      "</clientConfig>\n",
	    f);
}

static void
key_string(FILE *f, const char *key, const char *value)
{
	fprintf(f, "\t<key>%s</key>\n\t<string>", key);
	escape(f, value);
	fputs("</string>\n", f);
}

static void
key_number(FILE *f, const char *key, unsigned value)
{
	fprintf(f, "\t<key>%s</key>\n\t<integer>%u</integer>\n", key, value);
}

static void
key_true(FILE *f, const char *key)
{
	fprintf(f, "\t<key>%s</key>\n\t<true/>\n", key);
}

/* What every payload has; its name is made of what it is about. */
static void
payload(FILE *f, const struct client *c, const char *type)
{
	struct sha256 *h = sha256_new();
	uint8_t d[SHA256_SIZE];
	char uuid[37], name[ADDR_SIZE + 300];

	snprintf(name, sizeof(name), "%s.%s.%s", c->hostname, type, c->address);
	sha256_feed(h, name, strlen(name));
	sha256_end(h, d);
	sha256_free(h);
	/* RFC 9562 5.8: a version for uses like this. */
	d[6] = 0x80 | (d[6] & 0x0f);
	d[8] = 0x80 | (d[8] & 0x3f);
	snprintf(uuid, sizeof(uuid),
	    "%02X%02X%02X%02X-%02X%02X-%02X%02X-%02X%02X-"
	    "%02X%02X%02X%02X%02X%02X",
	    d[0], d[1], d[2], d[3], d[4], d[5], d[6], d[7], d[8], d[9], d[10],
	    d[11], d[12], d[13], d[14], d[15]);
	key_string(f, "PayloadType", type);
	key_number(f, "PayloadVersion", 1);
	key_string(f, "PayloadIdentifier", name);
	key_string(f, "PayloadUUID", uuid);
	key_string(f, "PayloadDisplayName", c->address);
}

/* TLS from the first octet where there is such a port: a profile cannot ask
 * for STARTTLS, only for "SSL", which Mail takes as either. */
static void
profile_mail(FILE *f, const struct client *c)
{
	payload(f, c, "com.apple.mail.managed");
	key_string(f, "EmailAccountType", "EmailTypeIMAP");
	key_string(f, "EmailAccountDescription", c->address);
	key_string(f, "EmailAddress", c->address);
	key_string(f, "IncomingMailServerAuthentication", "EmailAuthPassword");
	key_string(f, "IncomingMailServerHostName", c->imap_host);
	key_number(f, "IncomingMailServerPortNumber", c->imap_port);
	key_true(f, "IncomingMailServerUseSSL");
	key_string(f, "IncomingMailServerUsername", c->address);
	key_string(f, "OutgoingMailServerAuthentication", "EmailAuthPassword");
	key_string(f, "OutgoingMailServerHostName", c->hostname);
	key_number(f, "OutgoingMailServerPortNumber", c->ports[0].number);
	key_true(f, "OutgoingMailServerUseSSL");
	key_string(f, "OutgoingMailServerUsername", c->address);
}

void
client_mobileconfig(const struct client *c, FILE *f)
{
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	      "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" "
	      "\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n"
	      "<plist version=\"1.0\">\n<dict>\n",
	    f);
	payload(f, c, "Configuration");
	fputs("\t<key>PayloadContent</key>\n\t<array>\n\t<dict>\n", f);
	profile_mail(f, c);
	fputs("\t</dict>\n\t</array>\n</dict>\n</plist>\n", f);
}

json_t *
client_mobile(const struct client *c)
{
	enum { IMAP, SMTP = 0, STARTTLS = 2, TLS = 3, PASSWORD = 1 };

	return json_pack("[i, [i, i], [i, s, i, i, i, s, s, s], "
			 "[[[i, s, i, i, i, s, s], [s, s]]]]",
	    1, 1, 1, IMAP, c->imap_host, (int)c->imap_port, TLS, PASSWORD,
	    c->address, c->address, "", SMTP, c->hostname,
	    (int)c->ports[0].number,
	    c->ports[0].tls == TLS_MODE_IMPLICIT ? TLS : STARTTLS, PASSWORD,
	    c->address, "", c->address, "");
}
