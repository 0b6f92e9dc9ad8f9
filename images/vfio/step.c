// SPDX-License-Identifier: GPL-2.0-or-later
/* The lines, and the registers that a device shows through its file. */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "step.h"

const char *device;

static void open_line(const char *name, const char *ok)
{
	printf("{\"device\":\"%s\",\"step\":\"%s\",\"ok\":%s", device, name, ok);
}

static void close_line(const char *more, va_list list)
{
	if (more)
		vprintf(more, list);
	puts("}");
	fflush(stdout);
}

long step(const char *name, long rc, const char *more, ...)
{
	int why = errno;
	va_list list;

	open_line(name, rc < 0 ? "false" : "true");
	if (rc < 0)
		printf(",\"errno\":%d", why);
	va_start(list, more);
	close_line(more, list);
	va_end(list);
	return rc;
}

void proof(const char *name, int ok, const char *more, ...)
{
	va_list list;

	open_line(name, ok ? "true" : "false");
	va_start(list, more);
	close_line(more, list);
	va_end(list);
}

void not_proven(const char *name, const char *why)
{
	open_line(name, "null");
	printf(",\"why\":\"%s\"}\n", why);
	fflush(stdout);
}

uint32_t get(struct registers *at, unsigned int reg)
{
	uint32_t value = 0xffffffff;

	if (pread(at->fd, &value, 4, at->offset + reg) != 4)
		return 0xffffffff;
	return value;
}

void put(struct registers *at, unsigned int reg, uint32_t value)
{
	if (pwrite(at->fd, &value, 4, at->offset + reg) != 4)
		step("write register", -1, ",\"register\":%u", reg);
}
