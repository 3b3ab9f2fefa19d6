/*
 * tally.h - what is counted of each account: how much of its limits it used,
 * to whom it has written, what the guard knows of it.
 *
 * It lives in memory and goes to the store a second later, without a flush of
 * its own: a killed process loses a second of it.  So do the recipients; those
 * of a long list some at a time, so that some seconds of them count as new once
 * more.
 */
#ifndef AUTH_TALLY_H
#define AUTH_TALLY_H

#include "auth/guard_rules.h"
#include "auth/t_usage.h"

struct tally;

/*
 * That of an account, or of a credential of it with limits of its own; good
 * until the loop goes on.
 *
 *   label   of the credential, or NULL
 *   now_ms  since 1970
 */
struct tally *tally_find(const char *login, const char *label, uint64_t now_ms);
/* By enum limit; whoever changes them calls tally_touch(). */
struct meter *tally_meters(struct tally *);
/* It has changed, and is to be written. */
void tally_touch(struct tally *);

/* A look at what is used; nothing is kept in memory for it. */
void tally_read(const char *login, const char *label, struct usage *);

/* How many days ago it wrote to this recipient; UINT32_MAX never. */
uint32_t tally_age(const struct tally *, const uint8_t hash[RCPT_HASH]);
/* It writes to it now.  With no room on the disk the recipient stays new. */
void tally_note(struct tally *, const uint8_t hash[RCPT_HASH]);

/* What the guard knows of an account, to be changed at once; it is written
 * with the rest. */
struct guard *tally_guard(const char *login);
/* A look at it; nothing is kept in memory, and nothing written. */
void tally_read_guard(const char *login, struct guard *);

/* Write what was counted; when the process ends. */
void tally_write(void);
/* The account is gone, from the store too. */
void tally_forget(const char *login);
void tally_close(void);

#endif
