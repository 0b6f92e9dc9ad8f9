/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a test tells the probe, as words in ASCII: "nonce=5f1e exit=8000000000000001".
 *
 *   nonce=WORD    printed back
 *   exit=HEX      the EFI_STATUS to return
 *   reset=cold    or warm or shutdown, in place of returning
 *   hang=1        never come back
 *
 * They stand in the image itself, in a slot that ubtest/probe/orders.py fills, and in the load
 * options, as ASCII or UTF-16; the load options win.
 */
#ifndef ORDERS_H
#define ORDERS_H

#include "efi.h"

#define NONCE_ROOM 64

struct orders {
	char nonce[NONCE_ROOM];
	efi_status exit;
	enum { RETURN, RESET, HANG } ending;
	enum reset reset;
};

void orders_of_slot(struct orders *orders);
void orders_of_options(struct orders *orders, const void *options, uintn size);

#endif
