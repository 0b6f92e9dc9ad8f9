/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one line that the probe prints:
 *
 *   [UBTEST{name=value;name=value;...}LENGTH:CRC32]
 *
 * Values have no space, no bracket, no brace and no semicolon, so a terminal may break the line
 * anywhere. Length and checksum are of what stands between the braces. ubtest/probe/facts.py reads
 * it.
 */
#ifndef LINE_H
#define LINE_H

#include "efi.h"

u32 crc32(u32 crc, const void *data, uintn size);

void line_name(const char *name);               /* starts a fact */
void line_word(const char *text);               /* ASCII that needs no escape */
void line_letters(const char *text);            /* ASCII, what needs an escape as ? */
void line_text(const u16 *text);                /* UTF-16, escaped as %XXXX */
void line_number(u64 value);                    /* hexadecimal, without leading zeros */
void line_bytes(const void *data, uintn size);  /* hexadecimal, in the order of memory */
void line_print(struct text_output *output);    /* the line with marks and checksum */

#endif
