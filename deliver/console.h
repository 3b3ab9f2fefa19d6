/*
 * console.h - what the `postern` command asks of this process: DNS, as our
 * own resolver sees it, and how far a mail would come.
 */
#ifndef DELIVER_CONSOLE_H
#define DELIVER_CONSOLE_H

#include "lib/conf.h"

/* From now on; borrowed. */
void console_configure(const struct conf *);

/* Serve a connection that the parent has checked and greeted; takes fd. */
void console_open(int fd);

void consoles_close(void);

#endif
