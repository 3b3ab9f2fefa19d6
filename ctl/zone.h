/*
 * zone.h - lines of a zone file (RFC 1035 5).
 */
#ifndef CTL_ZONE_H
#define CTL_ZONE_H

/*
 * One record as a line on stdout; the text of TXT is quoted, and cut into
 * strings of 255 bytes.
 *
 *   type   "TXT", "SRV", ...
 *   value  names in it end with a dot where they are whole
 */
void zone_print(const char *name, const char *type, const char *value);

#endif
