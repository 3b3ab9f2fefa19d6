/*
 * guard_rules.h - is this still the account's owner?
 *
 * What an account does in a day is kept beside what it usually does, and a
 * clear break between the two is a verdict.  One thing alone is seldom clear:
 * people write to eighty wedding guests, travel, and mistype addresses; but a
 * stolen password is used from elsewhere, for strangers, of whom many do not
 * exist.
 *
 * Pure: state, event and time in, verdict out; guard.c acts on it.
 */
#ifndef AUTH_GUARD_RULES_H
#define AUTH_GUARD_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GUARD_NETWORKS 12
#define GUARD_BITS     1024 /* of the sketch that counts distinct recipients */
#define GUARD_TEXT     160

struct guard {
	/* Learned. */
	uint32_t usual_new;      /* new recipients on a busy day */
	uint32_t usual_rcpts;    /* recipients on a busy day */
	uint32_t usual_networks; /* unfamiliar ones on a busy day */
	uint32_t usual_hour;     /* recipients in a busy hour */
	uint32_t days;           /* that were learned from */
	struct {
		uint64_t id;              /* a hash; 0 none */
		uint64_t first_s, last_s; /* unix seconds */
		uint32_t days;            /* on which it was used */
	} network[GUARD_NETWORKS];

	/* Since the day began, 24 hours at most. */
	uint64_t began_s;
	uint32_t rcpts;    /* that it tried to send to */
	uint32_t strange;  /* the new ones of those, from unfamiliar networks */
	uint32_t networks; /* unfamiliar ones that it sent from */
	uint32_t delivered, refused; /* for good, by other servers */
	uint32_t failed;             /* logins with a wrong password */
	uint32_t guessed; /* such logins before a good one, from elsewhere */
	uint64_t sketch[GUARD_BITS / 64];
	uint64_t hour_s;       /* when its last hour began */
	uint32_t hour;         /* recipients that were taken in it, */
	uint32_t hour_strange; /* and those from unfamiliar networks */
	uint32_t hour_most;    /* taken in the busiest hour */
};

/* The configuration's thresholds. */
struct guard_rules {
	uint32_t new_recipients; /* a day; half from unfamiliar networks */
	uint32_t refused;        /* recipients that do not exist, a day */
	uint32_t refused_share;  /* percent, of those that were tried */
	uint32_t networks;       /* unfamiliar ones a day */
	uint32_t rate; /* recipients an hour from there; twice from home */
	bool young;    /* a new account: half of each */
	/* Of the sketch: a thief who could tell which recipients share a bit
	 * would choose these, by their tags if need be. */
	uint64_t key[2];
};

enum guard_rule {
	GUARD_FINE,
	GUARD_STRANGERS, /* too many new recipients */
	GUARD_REFUSED,   /* too many that do not exist */
	GUARD_ELSEWHERE, /* the same, sooner, from an unfamiliar network */
	GUARD_NETS,      /* new recipients from many unfamiliar networks */
	GUARD_RATE,      /* much faster than usual */
	GUARD_RULES
};

struct guard_verdict {
	enum guard_rule rule;
	char text[GUARD_TEXT]; /* the evidence, for people */
};

const char *guard_rule_name(enum guard_rule);

/* What the rules compare: of the day that has begun, what is usual, and how
 * much is allowed as things are. */
struct guard_evidence {
	uint32_t news, news_usual, news_most;
	uint32_t strange; /* of those, from unfamiliar networks */
	uint32_t rcpts, rcpts_usual;
	uint32_t hour, hour_usual, hour_most;
	uint32_t delivered, refused;
	uint32_t refused_most, share_most; /* percent */
	uint32_t known, networks, networks_most;
	uint32_t guessed; /* wrong passwords before a good login, or so far */
	uint32_t days;
};

struct guard_evidence
guard_weigh(const struct guard *, const struct guard_rules *);

/*
 * A message was submitted, whether the limits let it pass or not.
 *
 *   network  a hash of where the client is, not 0
 *   taken    the limits did
 *   news     hashes of the recipients that are new, 8 bytes each
 */
enum guard_rule guard_submit(struct guard *, const struct guard_rules *,
    uint64_t now_s, uint64_t network, uint32_t rcpts, bool taken,
    const uint8_t *news, size_t nnews, struct guard_verdict *);
/* A message to so many was taken and then not sent: the client was cut off.
 * Whom it was to stays known. */
void guard_undo(struct guard *, uint32_t rcpts);

/* What became of some recipients. */
enum guard_rule
guard_results(struct guard *, const struct guard_rules *, uint64_t now_s,
    uint32_t delivered, uint32_t refused, struct guard_verdict *);

/* A login, good or with a wrong password. */
void guard_login(struct guard *, uint64_t now_s, uint64_t network, bool good);

/* Someone looked, and all is well: the day begins anew, and what was done in
 * it from where is usual from now on. */
void guard_forgive(struct guard *, uint64_t now_s);

/* As it is at this time: what is over counts no more. */
void guard_look(struct guard *, uint64_t now_s);

/* Of the day: how many distinct recipients were new, about. */
uint32_t guard_new(const struct guard *);

#endif
