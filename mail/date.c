/*
 * date.c - a time as text.
 */
#include <stdio.h>

#include "mail/date.h"

#define DAY 86400

struct civil {
	unsigned year, month, day, weekday; /* January and Sunday are 0 */
	unsigned hour, minute, second;
};

static void
split(time_t when, struct civil *c)
{
	const time_t last = 253402300799; /* 9999-12-31T23:59:59Z */
	unsigned days, seconds, cycle, year, month;

	if (when < 0)
		when = 0;
	if (when > last)
		when = last;
	days = (unsigned)(when / DAY);
	seconds = (unsigned)(when % DAY);
	c->hour = seconds / 3600;
	c->minute = seconds / 60 % 60;
	c->second = seconds % 60;
	c->weekday = (days + 4) % 7; /* 1970 began on a Thursday */

	/* Years that begin in March have their leap day at the end, and the
	 * calendar repeats every 400 of them, which are 146,097 days. */
	days += 719468; /* from 1 March of the year 0 to 1970 */
	cycle = days / 146097;
	days %= 146097;
	year = (days - days / 1460 + days / 36524 - days / 146096) / 365;
	days -= year * 365 + year / 4 - year / 100;
	/* From March on, five months always have 153 days. */
	month = (days * 5 + 2) / 153;
	c->day = days - (month * 153 + 2) / 5 + 1;
	c->month = (month + 2) % 12;
	c->year = cycle * 400 + year + (month >= 10);
}

size_t
date_rfc5322(time_t when, char out[DATE_MAX])
{
	static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu",
		"Fri", "Sat" };
	static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May",
		"Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	struct civil c;

	split(when, &c);
	return (size_t)snprintf(out, DATE_MAX,
	    "%s, %02u %s %04u %02u:%02u:%02u +0000", days[c.weekday], c.day,
	    months[c.month], c.year, c.hour, c.minute, c.second);
}

size_t
date_rfc3339(time_t when, char out[DATE_MAX])
{
	struct civil c;

	split(when, &c);
	return (size_t)snprintf(out, DATE_MAX, "%04u-%02u-%02uT%02u:%02u:%02uZ",
	    c.year, c.month + 1, c.day, c.hour, c.minute, c.second);
}
