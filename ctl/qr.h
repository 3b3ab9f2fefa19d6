/*
 * qr.h - a QR code on a terminal.
 */
#ifndef CTL_QR_H
#define CTL_QR_H

#include <stdbool.h>
#include <stdio.h>

/*
 * Draw a text, two rows of modules a line, light on dark as terminals are.
 *
 *   color  say so to the terminal, whatever its colours are
 *
 * False when it is too long, about 2,900 octets.
 */
bool qr_draw(const char *text, bool color, FILE *);

#endif
