/*
 * limits.c - see limits.h.
 */
#include "auth/limits.h"

bool
limits_young(const struct page *page, const struct conf *conf, uint64_t now_s)
{
	return !page->grown && now_s < page->created + (uint64_t)conf->young_s;
}

static uint64_t
server_limit(const struct conf *conf, enum limit l)
{
	const uint64_t everybody[LIMITS] = {
		[LIMIT_RECIPIENTS] = conf->recipients,
		[LIMIT_SIZE] = conf->message_size,
		[LIMIT_HOUR] = conf->rcpts_hour,
		[LIMIT_DAY] = conf->rcpts_day,
		[LIMIT_MESSAGES_HOUR] = conf->messages_hour,
		[LIMIT_MESSAGES_DAY] = conf->messages_day,
		[LIMIT_NEW] = conf->new_day,
	};

	return everybody[l];
}

uint64_t
limits_own(const struct page *page, const struct conf *conf, enum limit l)
{
	/* As in [limits] (lib/conf_follow.c); LIMIT_RECIPIENTS, which is 0,
	 * leads nobody. */
	static const enum limit leads[LIMITS] = {
		[LIMIT_MESSAGES_HOUR] = LIMIT_HOUR,
		[LIMIT_MESSAGES_DAY] = LIMIT_DAY,
		[LIMIT_NEW] = LIMIT_DAY,
	};
	enum limit lead = leads[l];
	uint64_t base;

	if (page->limit[l] != 0 || lead == 0)
		return page->limit[l];
	/* 0 is any number, which nobody raises. */
	base = server_limit(conf, lead);
	if (base == 0 || page->limit[lead] <= base)
		return 0;
	return conf_grown(server_limit(conf, l), page->limit[lead], base);
}

bool
limits_of(const struct page *page, const struct conf *conf, uint64_t now_s,
    uint64_t limit[LIMITS])
{
	bool young = limits_young(page, conf, now_s);

	for (enum limit l = 0; l < LIMITS; l++) {
		limit[l] = limits_own(page, conf, l);
		if (limit[l] != 0)
			continue;
		limit[l] = server_limit(conf, l);
		if (young && l != LIMIT_RECIPIENTS && l != LIMIT_SIZE)
			limit[l] = (limit[l] + 1) / 2;
	}
	/* The spool keeps room for the server's. */
	if (limit[LIMIT_SIZE] > conf->message_size)
		limit[LIMIT_SIZE] = conf->message_size;
	return young;
}

void
limits_narrow(uint64_t limit[LIMITS], const uint64_t own[LIMITS])
{
	for (int l = 0; l < LIMITS; l++)
		if (own[l] != 0 && own[l] < limit[l])
			limit[l] = own[l];
}
