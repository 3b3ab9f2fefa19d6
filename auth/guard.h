/*
 * guard.h - freezing an account that somebody else uses.
 *
 * The rules (guard_rules.h) say when.  Then the account is suspended, by
 * "guard" and with the evidence as the reason: its sessions end at their next
 * command, its mail is held, the queue tells the postmaster and the account,
 * and the log has guard.frozen.
 */
#ifndef AUTH_GUARD_H
#define AUTH_GUARD_H

#include "auth/book.h"
#include "auth/console.h"
#include "auth/guard_rules.h"
#include "lib/conf.h"

/*
 * An account submits a message.  True when that froze it: then the page is
 * gone.
 *
 *   taken  the limits let it pass
 *   news   RCPT_HASH bytes of each recipient that is new
 */
bool guard_watch(const struct page *, const struct conf *, const char *ip,
    uint32_t rcpts, bool taken, struct bytes news);

/* A message to so many was not taken after all. */
void guard_give_back(const char *login, uint32_t rcpts);

/* What the queue tells of recipients. */
void guard_hear(const struct msg_account_results *, const struct conf *);

/* A login of an account: good, or with a wrong password. */
void guard_note_login(const char *login, const char *ip, bool good);

/* An admin let the account go on. */
void guard_resumed(const char *login);

/* The account's count as it is now; a look, which changes nothing. */
struct guard guard_now(const char *login);

/* postern guard explain: MSG_STATUS_ROWs. */
void guard_explain(struct console *);

#endif
