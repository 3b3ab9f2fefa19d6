/*
 * date.c - a time as text.
 */
#include <stdio.h>

#include "mail/ascii.h"
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

/* Read n digits as a number up to most; -1 when they are none. */
static int
digits(const char *s, size_t n, int most)
{
	int number = 0;

	for (size_t i = 0; i < n; i++) {
		if (!ascii_digit(s[i]))
			return -1;
		number = number * 10 + (s[i] - '0');
	}
	return number > most ? -1 : number;
}

/* The inverse of split(), of a day: its number since 1970. */
static int64_t
day_number(int64_t year, int month, int day)
{
	year -= month <= 2;
	month = (month + 9) % 12;
	return year * 365 + year / 4 - year / 100 + year / 400 +
	    (month * 153 + 2) / 5 + day - 1 - 719468;
}

static int
month_days(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
		31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap);
}

/* "Z", "+01:00"; *minutes is how far that is ahead of UTC. */
static bool
read_zone(const char *s, size_t n, int *minutes)
{
	int hour, minute;

	*minutes = 0;
	if (n == 1)
		return ascii_lower(*s) == 'z';
	if (n != 6 || (*s != '+' && *s != '-') || s[3] != ':')
		return false;
	hour = digits(s + 1, 2, 23);
	minute = digits(s + 4, 2, 59);
	*minutes = (hour * 60 + minute) * (*s == '-' ? -1 : 1);
	return hour >= 0 && minute >= 0;
}

bool
date_read_rfc3339(const char *s, size_t n, int64_t *when)
{
	int year, month, day, hour, minute, second, ahead;

	if (n < 20 || s[4] != '-' || s[7] != '-' || ascii_lower(s[10]) != 't' ||
	    s[13] != ':' || s[16] != ':')
		return false;
	year = digits(s, 4, 9999);
	month = digits(s + 5, 2, 12);
	day = digits(s + 8, 2, 31);
	hour = digits(s + 11, 2, 23);
	minute = digits(s + 14, 2, 59);
	second = digits(s + 17, 2, 60); /* a leap second */
	if (year < 0 || month < 1 || day < 1 || hour < 0 || minute < 0 ||
	    second < 0 || day > month_days(year, month))
		return false;
	s += 19;
	n -= 19;
	if (*s == '.') {
		size_t fraction = 1;

		while (fraction < n && ascii_digit(s[fraction]))
			fraction++;
		if (fraction == 1)
			return false;
		s += fraction;
		n -= fraction;
	}
	if (!read_zone(s, n, &ahead))
		return false;
	*when = day_number(year, month, day) * DAY + hour * 3600 +
	    (minute - ahead) * 60 + second;
	return true;
}
