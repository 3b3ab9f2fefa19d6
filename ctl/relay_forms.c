/*
 * relay_forms.c - see relay_forms.h.
 */
#include <string.h>

#include "ctl/relay_forms.h"

#define STRANGER "FROM:<tester@example.invalid>"
#define THERE    "TO:<%u@%d>"

/* clang-format off */

const struct relay_form relay_forms[] = {
	/* Who says it is the sender. */
	{ "sender", "a stranger to a stranger", NULL, STRANGER, THERE },
	{ "sender", "the null path", NULL, "FROM:<>", THERE },
	{ "sender", "the server's own name", NULL, "FROM:<tester@%h>", THERE },
	{ "sender", "the server's address", NULL, "FROM:<tester@[%i]>", THERE },
	{ "sender", "localhost", NULL, "FROM:<tester@localhost>", THERE },
	{ "sender", "[127.0.0.1]", NULL, "FROM:<tester@[127.0.0.1]>", THERE },
	{ "sender", "a name without domain", NULL, "FROM:<tester>", THERE },
	{ "sender", "root without domain", NULL, "FROM:<root>", THERE },
	{ "sender", "postmaster without domain", NULL, "FROM:<postmaster>", THERE },
	{ "sender", "postmaster of the server", NULL, "FROM:<postmaster@%h>", THERE },
	{ "sender", "an account", NULL, "FROM:<%a>", THERE },
	{ "sender", "an account, as the name of its own", NULL, "FROM:<\"%a\"@%h>", THERE },
	{ "sender", "the recipient itself", NULL, "FROM:<%u@%d>", THERE },
	{ "sender", "the null path, quoted", NULL, "FROM:<\"\">", THERE },
	{ "sender", "no brackets", NULL, "FROM: tester@%h", THERE },
	{ "sender", "a source route through the server", NULL, "FROM:<@%h:%a>", THERE },
	{ "sender", "nobody at all", NULL, "FROM:", THERE },

	/* Whom it is said to be for. */
	{ "percent", "user%domain@server", NULL, STRANGER, "TO:<%u%%%d@%h>" },
	{ "percent", "user%domain@[address]", NULL, STRANGER, "TO:<%u%%%d@[%i]>" },
	{ "percent", "user%domain", NULL, STRANGER, "TO:<%u%%%d>" },
	{ "percent", "\"user%domain\"", NULL, STRANGER, "TO:<\"%u%%%d\">" },
	{ "percent", "\"user%domain\"@server", NULL, STRANGER, "TO:<\"%u%%%d\"@%h>" },
	{ "percent", "postmaster%domain@server", NULL, STRANGER, "TO:<postmaster%%%d@%h>" },
	{ "percent", "twice", NULL, STRANGER, "TO:<%u%%%d%%%h@%h>" },
	{ "percent", "from the server's name", NULL, "FROM:<tester@%h>", "TO:<%u%%%d@%h>" },
	{ "bang", "domain!user", NULL, STRANGER, "TO:<%d!%u>" },
	{ "bang", "domain!user@server", NULL, STRANGER, "TO:<%d!%u@%h>" },
	{ "bang", "domain!user@[address]", NULL, STRANGER, "TO:<%d!%u@[%i]>" },
	{ "bang", "server!domain!user", NULL, STRANGER, "TO:<%h!%d!%u>" },
	{ "bang", "server!user@domain", NULL, STRANGER, "TO:<%h!%u@%d>" },
	{ "route", "@server:user@domain", NULL, STRANGER, "TO:<@%h:%u@%d>" },
	{ "route", "@[address]:user@domain", NULL, STRANGER, "TO:<@[%i]:%u@%d>" },
	{ "route", "@server,@domain:user@domain", NULL, STRANGER, "TO:<@%h,@%d:%u@%d>" },
	{ "route", "@localhost:user@domain", NULL, STRANGER, "TO:<@localhost:%u@%d>" },
	{ "route", "@domain:postmaster@server", NULL, STRANGER, "TO:<@%d:postmaster@%h>" },
	{ "route", "user@domain@server", NULL, STRANGER, "TO:<%u@%d@%h>" },
	{ "route", "user@domain@[address]", NULL, STRANGER, "TO:<%u@%d@[%i]>" },
	{ "route", "user@server@domain", NULL, STRANGER, "TO:<%u@%h@%d>" },
	{ "route", "two addresses in one", NULL, STRANGER, "TO:<%a>,<%u@%d>" },
	{ "route", "two paths in one", NULL, STRANGER, "TO:<%a,%u@%d>" },
	{ "quoting", "\"user@domain\"", NULL, STRANGER, "TO:<\"%u@%d\">" },
	{ "quoting", "\"user@domain\"@server", NULL, STRANGER, "TO:<\"%u@%d\"@%h>" },
	{ "quoting", "\"user@domain\"@[address]", NULL, STRANGER, "TO:<\"%u@%d\"@[%i]>" },
	{ "quoting", "\"user\"@domain", NULL, STRANGER, "TO:<\"%u\"@%d>" },
	{ "quoting", "a quoted pair", NULL, STRANGER, "TO:<\\%u@%d>" },
	{ "quoting", "a quoted pair in quotes", NULL, STRANGER, "TO:<\"\\%u\"@%d>" },
	{ "quoting", "a comment behind", NULL, STRANGER, "TO:<%u@%d(%h)>" },
	{ "quoting", "a comment in front", NULL, STRANGER, "TO:<(%a)%u@%d>" },
	{ "quoting", "no brackets", NULL, STRANGER, "TO: %u@%d" },
	{ "quoting", "brackets twice", NULL, STRANGER, "TO:<<%u@%d>>" },
	{ "quoting", "a name and an address", NULL, STRANGER, "TO:<%a <%u@%d>>" },
	{ "domain", "a dot behind", NULL, STRANGER, "TO:<%u@%d.>" },
	{ "domain", "a dot in front", NULL, STRANGER, "TO:<%u@.%d>" },
	{ "domain", "in brackets", NULL, STRANGER, "TO:<%u@[%d]>" },
	{ "domain", "an address literal", NULL, STRANGER, "TO:<%u@[192.0.2.1]>" },
	{ "domain", "an IPv6 literal", NULL, STRANGER, "TO:<%u@[IPv6:2001:db8::1]>" },
	{ "domain", "an address without brackets", NULL, STRANGER, "TO:<%u@192.0.2.1>" },
	{ "domain", "an overlong UTF-8 at sign", NULL, STRANGER, "TO:<%u\xc1\x80%d@%h>" },
	{ "domain", "a full-width at sign", NULL, STRANGER, "TO:<%u\xef\xbc\xa0%d@%h>" },
	{ "domain", "an encoded word", NULL, STRANGER, "TO:<=?us-ascii?q?%u=40%d?=@%h>" },
	{ "domain", "=40 for the at sign", NULL, STRANGER, "TO:<%u=40%d@%h>" },
	{ "domain", "a parameter with another recipient", NULL, STRANGER, "TO:<postmaster@%h> ORCPT=rfc822;%u@%d" },
	{ "domain", "an address to itself", NULL, STRANGER, "TO:<postmaster@%h>" },

	/* What it claims to be. */
	{ "claim", "EHLO with the server's name", "EHLO %h\n", STRANGER, THERE },
	{ "claim", "EHLO localhost", "EHLO localhost\n", STRANGER, THERE },
	{ "claim", "EHLO [127.0.0.1]", "EHLO [127.0.0.1]\n", STRANGER, THERE },
	{ "claim", "HELO with the server's name", "HELO %h\n", "FROM:<%a>", THERE },
	{ "claim", "no EHLO", "NOOP\n", STRANGER, THERE },
	{ "claim", "XCLIENT with an address", "EHLO x\nXCLIENT ADDR=127.0.0.1 NAME=localhost\nEHLO x\n", STRANGER, THERE },
	{ "claim", "XCLIENT with a login", "EHLO x\nXCLIENT LOGIN=%a\nEHLO x\n", "FROM:<%a>", THERE },
	{ "claim", "XFORWARD", "EHLO x\nXFORWARD ADDR=127.0.0.1 SOURCE=LOCAL\n", STRANGER, THERE },
	{ "claim", "a PROXY line", "PROXY TCP4 127.0.0.1 127.0.0.1 1 587\nEHLO x\n", STRANGER, THERE },
	{ "claim", "a PROXY line before the greeting", "@raw PROXY TCP4 127.0.0.1 127.0.0.1 1 587\\r\\n\nEHLO x\n", STRANGER, THERE },
	{ "claim", "AUTH= names an account", NULL, "FROM:<%a> AUTH=%a", THERE },
	{ "claim", "AUTH=<>", NULL, "FROM:<%a> AUTH=<>", THERE },

	/* Logins that did not happen. */
	{ "login", "a wrong password", "EHLO x\nAUTH PLAIN AHRlc3RlcgB0ZXN0ZXI=\n", "FROM:<%a>", THERE },
	{ "login", "an empty password", "EHLO x\nAUTH PLAIN AHJvb3QA\n", "FROM:<%a>", THERE },
	{ "login", "nothing", "EHLO x\nAUTH PLAIN =\n", "FROM:<%a>", THERE },
	{ "login", "a cancelled one", "EHLO x\nAUTH PLAIN\n*\n", "FROM:<%a>", THERE },
	{ "login", "a name and no password", "EHLO x\nAUTH LOGIN dGVzdGVy\n*\n", "FROM:<%a>", THERE },
	{ "login", "MAIL in place of the password", "EHLO x\nAUTH LOGIN dGVzdGVy\n", "FROM:<%a>", THERE },
	{ "login", "ANONYMOUS", "EHLO x\nAUTH ANONYMOUS dGVzdGVy\n", STRANGER, THERE },
	{ "login", "EXTERNAL without a certificate", "EHLO x\nAUTH EXTERNAL =\n", "FROM:<%a>", THERE },
	{ "login", "EXTERNAL with a name", "EHLO x\nAUTH EXTERNAL cm9vdA==\n", "FROM:<%a>", THERE },
	{ "login", "CRAM-MD5 with an empty answer", "EHLO x\nAUTH CRAM-MD5\n=\n", "FROM:<%a>", THERE },
	{ "login", "a mechanism nobody has", "EHLO x\nAUTH NULL\n", "FROM:<%a>", THERE },
	{ "login", "two in one", "EHLO x\n@raw AUTH PLAIN AHRlc3RlcgB0ZXN0ZXI=\\r\\nAUTH PLAIN AHRlc3RlcgB0ZXN0ZXI=\\r\\n\nNOOP\nNOOP\n", "FROM:<%a>", THERE },

	/* States that should not be reached. */
	{ "state", "after RSET", "EHLO x\nRSET\n", STRANGER, THERE },
	{ "state", "after a second EHLO", "EHLO x\nEHLO y\n", STRANGER, THERE },
	{ "state", "EHLO, then HELO", "EHLO x\nHELO y\n", STRANGER, THERE },
	{ "state", "VRFY of the recipient first", "EHLO x\nVRFY %u@%d\n", STRANGER, THERE },
	{ "state", "EXPN of the recipient first", "EHLO x\nEXPN %u@%d\n", STRANGER, THERE },
	{ "state", "ETRN first", "EHLO x\nETRN %d\n", STRANGER, THERE },
	{ "state", "SEND in place of MAIL", "EHLO x\nSEND " STRANGER "\n", STRANGER, THERE },
	{ "state", "SAML in place of MAIL", "EHLO x\nSAML " STRANGER "\n", STRANGER, THERE },
	{ "state", "MAIL twice", "EHLO x\nMAIL " STRANGER "\n", "FROM:<%a>", THERE },
	{ "state", "RCPT before MAIL", "EHLO x\nRCPT " THERE "\n", STRANGER, THERE },
	{ "state", "BDAT before MAIL", "EHLO x\nBDAT 0 LAST\n", STRANGER, THERE },
	{ "state", "all in one write", "@raw EHLO x\\r\\nMAIL " STRANGER "\\r\\nRCPT " THERE "\\r\\n\nNOOP\nNOOP\nNOOP\n", STRANGER, THERE },
	{ "state", "bare line feeds", "@raw EHLO x\\nMAIL " STRANGER "\\nRCPT " THERE "\\n\nNOOP\n", STRANGER, THERE },

	/* Around STARTTLS. */
	{ "starttls", "MAIL before the handshake", "EHLO x\nMAIL FROM:<%a>\nSTARTTLS\n@tls\n", "FROM:<%a>", THERE },
	{ "starttls", "no EHLO after the handshake", "EHLO x\nSTARTTLS\n@tls\n", STRANGER, THERE },
	{ "starttls", "commands behind STARTTLS", "EHLO x\n@raw STARTTLS\\r\\nMAIL " STRANGER "\\r\\nRCPT " THERE "\\r\\n\nNOOP\n@tls\n", STRANGER, THERE },
	{ "starttls", "a login begun before it", "EHLO x\nAUTH LOGIN dGVzdGVy\nSTARTTLS\n@tls\nEHLO x\n", "FROM:<%a>", THERE },

	{ NULL, NULL, NULL, NULL, NULL },
};

#define END(title, octets) { title, octets, sizeof(octets) - 1 }

const struct relay_end relay_ends[] = {
	END("LF . LF", "\n.\n"),
	END("LF . CRLF", "\n.\r\n"),
	END("CRLF . LF", "\r\n.\n"),
	END("CR . CR", "\r.\r"),
	END("CR . CRLF", "\r.\r\n"),
	END("CRLF . CR", "\r\n.\r"),
	END("LF . CR LF, padded", "\n . \r\n"),
	END("CR CR LF . CR CR LF", "\r\r\n.\r\r\n"),
	END("CRLF NUL . CRLF", "\r\n\0.\r\n"),
	END("CRLF . NUL CRLF", "\r\n.\0\r\n"),
	END("CRLF . blank CRLF", "\r\n. \r\n"),
	END("CRLF . tab CRLF", "\r\n.\t\r\n"),
	END("next line . next line", "\xc2\x85.\xc2\x85"),
	END("line separator . line separator", "\xe2\x80\xa8.\xe2\x80\xa8"),
	{ NULL, NULL, 0 },
};

/* clang-format on */

void
relay_fill(char *out, size_t size, const char *text,
    const char *const words[RELAY_WORDS])
{
	static const char names[RELAY_WORDS + 1] = "udhian";
	const char *at, *word;
	size_t n = 0;

	for (; *text != '\0' && n + 1 < size; text++) {
		at = *text == '%' && text[1] != '\0' ? strchr(names, text[1])
						     : NULL;
		if (*text == '%' && text[1] == '%')
			text++;
		if (at == NULL) {
			out[n++] = *text;
			continue;
		}
		for (word = words[at - names]; *word != '\0' && n + 1 < size;)
			out[n++] = *word++;
		text++;
	}
	out[n] = '\0';
}
