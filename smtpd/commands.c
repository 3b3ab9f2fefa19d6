/*
 * commands.c - see commands.h.
 */
#include "mail/ascii.h"
#include "smtpd/commands.h"

/* clang-format off */
static const struct command commands[] = {
/*   verb        legal in           needs                   run             answered       2yz         3yz      4yz,5yz  */
   { "MAIL",     IN(ST_READY),      TLS | LOGIN,            cmd_mail,       mail_answered, ST_MAIL,    ST_SAME, ST_READY },
   { "RCPT",     TX,                TLS | LOGIN | FOLLOWS,  cmd_rcpt,       NULL,          ST_RCPT,    ST_SAME, ST_SAME  },
   { "DATA",     IN(ST_RCPT),       TLS | LOGIN | FOLLOWS,  cmd_data,       NULL,          ST_SAME,    ST_BODY, ST_SAME  },
   { "DATA",     IN(ST_MAIL),       TLS | LOGIN | FOLLOWS,  cmd_data_early, NULL,          ST_SAME,    ST_SAME, ST_SAME  },
   { "BDAT",     IN(ST_RCPT) | IN(ST_CHUNKS), TLS | LOGIN | FOLLOWS | OCTETS, cmd_bdat, NULL,      ST_SAME,    ST_BODY, ST_READY },
   { "EHLO",     ANYWHERE,          IDLING,                 cmd_ehlo,       NULL,          ST_READY,   ST_SAME, ST_SAME  },
   { "HELO",     ANYWHERE,          IDLING,                 cmd_helo,       NULL,          ST_READY,   ST_SAME, ST_SAME  },
   { "STARTTLS", IN(ST_READY),      CLEAR,                  cmd_starttls,   NULL,          ST_TLS,     ST_SAME, ST_SAME  },
   { "AUTH",     IN(ST_READY),      TLS | NO_LOGIN | LONG,  cmd_auth,       auth_answered, ST_READY,   ST_AUTH, ST_READY },
   { "RSET",     IN(ST_NEW),        IDLING,                 cmd_rset,       NULL,          ST_NEW,     ST_SAME, ST_SAME  },
   { "RSET",     IN(ST_READY) | TX | IN(ST_CHUNKS), IDLING,                 cmd_rset,       NULL,          ST_READY,   ST_SAME, ST_SAME  },
   { "NOOP",     ANYWHERE,          IDLING,                 cmd_noop,       NULL,          ST_SAME,    ST_SAME, ST_SAME  },
   { "QUIT",     ANYWHERE | IN(ST_REFUSED), 0,                     cmd_quit,       NULL,          ST_CLOSING, ST_SAME, ST_SAME  },
   { "VRFY",     ANYWHERE,          IDLING,                 cmd_vrfy,       NULL,          ST_SAME,    ST_SAME, ST_SAME  },
   { "HELP",     ANYWHERE,          IDLING,                 cmd_help,       NULL,          ST_SAME,    ST_SAME, ST_SAME  },
   { "EXPN",     ANYWHERE,          0,                      cmd_expn,       NULL,          ST_SAME,    ST_SAME, ST_SAME  },
   /* A web browser that was sent here (ALPACA): nothing it says is mail. */
   { "GET",      ANYWHERE,          0,                      cmd_foreign,    NULL,          ST_CLOSING, ST_SAME, ST_SAME  },
   { "POST",     ANYWHERE,          0,                      cmd_foreign,    NULL,          ST_CLOSING, ST_SAME, ST_SAME  },
   { "PUT",      ANYWHERE,          0,                      cmd_foreign,    NULL,          ST_CLOSING, ST_SAME, ST_SAME  },
   { "HEAD",     ANYWHERE,          0,                      cmd_foreign,    NULL,          ST_CLOSING, ST_SAME, ST_SAME  },
   { "DELETE",   ANYWHERE,          0,                      cmd_foreign,    NULL,          ST_CLOSING, ST_SAME, ST_SAME  },
   { "OPTIONS",  ANYWHERE,          0,                      cmd_foreign,    NULL,          ST_CLOSING, ST_SAME, ST_SAME  },
   { "PATCH",    ANYWHERE,          0,                      cmd_foreign,    NULL,          ST_CLOSING, ST_SAME, ST_SAME  },
   { "TRACE",    ANYWHERE,          0,                      cmd_foreign,    NULL,          ST_CLOSING, ST_SAME, ST_SAME  },
   { "CONNECT",  ANYWHERE,          0,                      cmd_foreign,    NULL,          ST_CLOSING, ST_SAME, ST_SAME  },
   { "PRI",      ANYWHERE,          0,                      cmd_foreign,    NULL,          ST_CLOSING, ST_SAME, ST_SAME  },
};
/* Steps that no verb starts. */
const struct command step_auth =
   { "(auth)",   IN(ST_AUTH),       0,                      auth_line,      auth_answered, ST_READY,   ST_AUTH, ST_READY };
const struct command step_body =
   { "(body)",   IN(ST_BODY),       0,                      NULL,           body_answered, ST_READY,   ST_SAME, ST_READY };
const struct command step_chunk =
   { "(chunk)",  IN(ST_BODY),       0,                      NULL,           body_answered, ST_CHUNKS,  ST_SAME, ST_READY };
const struct command step_crumb =
   { "(chunk)",  IN(ST_BODY),       IDLING,                 NULL,           body_answered, ST_CHUNKS,  ST_SAME, ST_READY };
const struct command step_refused =
   { "(refused)", 0,                0,                      NULL,           NULL,          ST_SAME,    ST_SAME, ST_SAME  };
const struct command step_refused_behind =
   { "(refused)", 0,                FOLLOWS,                NULL,           NULL,          ST_SAME,    ST_SAME, ST_SAME  };
/* clang-format on */

#define NCOMMANDS (sizeof(commands) / sizeof(*commands))

const struct command *
commands_find(const struct session *s, const char *verb, size_t n)
{
	const struct command *cmd, *other = NULL;

	for (cmd = commands; cmd < commands + NCOMMANDS; cmd++) {
		if (!ascii_is(verb, n, cmd->verb))
			continue;
		if (cmd->legal_in & IN(s->state))
			return cmd;
		other = cmd;
	}
	return other;
}

const struct refusal *
commands_object(const struct session *s, const struct command *cmd, size_t n)
{
	static const struct refusal too_long = { 500, "5.5.2",
		"command too long" };
	static const struct refusal auth_in_clear = { 538, "5.7.11",
		"encryption required: use STARTTLS first" };
	static const struct refusal in_clear = { 530, "5.7.0",
		"must issue a STARTTLS command first" };
	static const struct refusal anonymous = { 530, "5.7.0",
		"log in first: mail is taken from accounts only" };
	static const struct refusal behind_mail = { 503, "5.5.1",
		"MAIL was refused" };
	static const struct refusal tls_twice = { 503, "5.5.1",
		"TLS is active already" };
	static const struct refusal login_twice = { 503, "5.5.1",
		"already authenticated" };
	static const struct refusal out_of_order[ST_COUNT] = {
		[ST_NEW] = { 503, "5.5.1", "say EHLO first" },
		[ST_READY] = { 503, "5.5.1", "say MAIL first" },
		[ST_MAIL] = { 503, "5.5.1", "say RCPT first, or RSET" },
		[ST_RCPT] = { 503, "5.5.1", "say DATA or BDAT, or RSET" },
		[ST_CHUNKS] = { 503, "5.5.1", "go on with BDAT, or RSET" },
		[ST_REFUSED] = { 503, "5.5.1", "refused at the greeting" },
	};

	if (!(cmd->needs & LONG) && n > COMMAND_MOST)
		return &too_long;
	if (s->state == ST_REFUSED && !(cmd->legal_in & IN(ST_REFUSED)))
		return &out_of_order[ST_REFUSED];
	if ((cmd->needs & TLS) && s->tls[0] == '\0')
		return cmd->needs & NO_LOGIN ? &auth_in_clear : &in_clear;
	if ((cmd->needs & LOGIN) && s->account[0] == '\0') {
		if (s->barred.code == 0)
			return &anonymous;
		return cmd->needs & FOLLOWS ? &behind_mail : &s->barred;
	}
	if ((cmd->needs & CLEAR) && s->tls[0] != '\0')
		return &tls_twice;
	if ((cmd->needs & NO_LOGIN) &&
	    (s->account[0] != '\0' || s->barred.code != 0))
		return &login_twice;
	return cmd->legal_in & IN(s->state) ? NULL : &out_of_order[s->state];
}
