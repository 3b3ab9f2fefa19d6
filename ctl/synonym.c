/*
 * synonym.c - see synonym.h.
 */
#include <stddef.h>
#include <string.h>

#include "ctl/synonym.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* "": whatever follows. */
/* clang-format off */
static const struct {
	const char *noun, *verb, *instead;
} synonyms[] = {
	{ "account", "delete",  "postern account remove" },
	{ "account", "del",     "postern account remove" },
	{ "account", "create",  "postern account add" },
	{ "account", "freeze",  "postern account suspend" },
	{ "account", "disable", "postern account suspend" },
	{ "account", "lock",    "postern account suspend" },
	{ "account", "block",   "postern account suspend" },
	{ "account", "unfreeze", "postern account resume" },
	{ "account", "enable",  "postern account resume" },
	{ "account", "unlock",  "postern account resume" },
	{ "account", "password", "postern account passwd" },
	{ "grant",   "delete",  "postern grant remove" },
	{ "queue",   "delete",  "postern queue remove" },
	{ "queue",   "flush",   "postern queue retry --all" },
	{ "queue",   "requeue", "postern queue retry" },
	{ "dkim",    "remove",  "postern dkim retire" },
	{ "dkim",    "delete",  "postern dkim retire" },
	{ "dkim",    "show",    "postern dkim list" },
	{ "config",  "reload",  "systemctl reload postern (or SIGHUP)" },
	{ "check",   "config",  "postern config check" },
	{ "check",   "dns",     "postern dns DOMAIN --check" },
	{ "check",   "tls",     "postern tls show" },
	{ "user",    "",        "postern account" },
	{ "users",   "",        "postern account list" },
	{ "mailbox", "",        "postern account" },
	{ "alias",   "",        "postern grant" },
	{ "aliases", "",        "postern grant list" },
	{ "domain",  "",        "postern grant add ADDRESS @DOMAIN, postern dkim add DOMAIN" },
	{ "mailq",   "",        "postern queue list" },
	{ "flush",   "",        "postern queue retry --all" },
	{ "start",   "",        "systemctl start postern, or postern serve" },
	{ "stop",    "",        "systemctl stop postern (or SIGTERM)" },
	{ "restart", "",        "systemctl restart postern" },
	{ "reload",  "",        "systemctl reload postern (or SIGHUP); certificates alone: postern tls reload" },
};
/* clang-format on */

const char *
synonym_find(const char *noun, const char *verb)
{
	for (size_t i = 0; i < COUNT(synonyms); i++)
		if (strcmp(synonyms[i].noun, noun) == 0 &&
		    (*synonyms[i].verb == '\0' ||
			strcmp(synonyms[i].verb, verb) == 0))
			return synonyms[i].instead;
	return NULL;
}
