// SPDX-License-Identifier: GPL-2.0-or-later
/* Moves data with QEMU's device edu (docs/specs/edu.txt of QEMU), and makes it interrupt. */

#include <poll.h>
#include <string.h>
#include <sys/random.h>

#include "step.h"

#define RAISE 0x60
#define ACKNOWLEDGE 0x64
#define SOURCE 0x80
#define DESTINATION 0x88
#define COUNT 0x90
#define COMMAND 0x98
#define START 1
#define TO_MEMORY 2
#define BUFFER 0x40000          /* the device's own memory, in its address space */

#define LENGTH 512
#define PATIENCE 300            /* times 10 ms; a transfer takes 100 ms */

void edu_raise(struct registers *edu)
{
	put(edu, RAISE, 1);
}

void edu_acknowledge(struct registers *edu)
{
	put(edu, ACKNOWLEDGE, 1);
}

static int transfer(struct registers *edu, uint64_t from, uint64_t to, uint32_t command)
{
	int n;

	put(edu, SOURCE, from);
	put(edu, DESTINATION, to);
	put(edu, COUNT, LENGTH);
	put(edu, COMMAND, command | START);
	for (n = 0; n < PATIENCE; n++) {
		if (!(get(edu, COMMAND) & START))
			return 1;
		poll(NULL, 0, 10);
	}
	return 0;
}

/* Random bytes into the device and out again to another place: nothing old can look like them */
void edu_dma(struct registers *edu, uint8_t *out, uint8_t *in)
{
	int ended, n, same = 0;

	if (getrandom(out, LENGTH, 0) != LENGTH) {
		not_proven("dma", "no random numbers");
		return;
	}
	for (n = 0; n < LENGTH; n++)
		in[n] = ~out[n];
	ended = transfer(edu, IOVA_OUT, BUFFER, 0) && transfer(edu, BUFFER, IOVA_IN, TO_MEMORY);
	for (n = 0; n < LENGTH; n++)
		same += in[n] == out[n];
	proof("dma", ended && same == LENGTH, ",\"bytes\":%d,\"same\":%d,\"ended\":%s", LENGTH,
	      same, ended ? "true" : "false");
}
