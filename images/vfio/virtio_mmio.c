// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A virtio-mmio device (virtio 1.1, 4.2) shows that its reset resets, and that its interrupt
 * arrives: of a changed configuration, which somebody outside has to change meanwhile.
 */

#include <linux/vfio.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "step.h"

#define MAGIC 0x74726976
#define DEVICE_ID 0x08
#define INTERRUPT_STATUS 0x60
#define INTERRUPT_ACK 0x64
#define STATUS 0x70
#define ACKNOWLEDGE 1
#define DRIVER 2
#define DRIVER_OK 4
#define CONFIGURATION 2         /* a bit of INTERRUPT_STATUS */

/* An empty slot has the magic number and no device */
int is_virtio_mmio(struct registers *at)
{
	return get(at, 0) == MAGIC && get(at, DEVICE_ID);
}

void virtio_mmio_reset(struct registers *at)
{
	uint32_t before, after;
	int rc;

	put(at, STATUS, ACKNOWLEDGE | DRIVER);
	before = get(at, STATUS);
	rc = ioctl(at->fd, VFIO_DEVICE_RESET);
	after = get(at, STATUS);
	proof("reset", !rc && before == (ACKNOWLEDGE | DRIVER) && !after,
	      ",\"before\":%u,\"after\":%u", before, after);
}

/* Seconds to wait for it; 0: nobody is there who would change the configuration */
int virtio_mmio_patience(void)
{
	const char *said = getenv("VFIO_PROBE_WAIT");

	return said ? atoi(said) : 0;
}

void virtio_mmio_hear(struct registers *at, int event, const char *kind)
{
	struct pollfd wait = { .fd = event, .events = POLLIN };
	uint32_t why;
	int arrived;

	put(at, STATUS, ACKNOWLEDGE | DRIVER);
	put(at, STATUS, ACKNOWLEDGE | DRIVER | DRIVER_OK);
	not_proven("waits", "somebody has to change the configuration now");
	arrived = poll(&wait, 1, virtio_mmio_patience() * 1000) == 1;
	why = get(at, INTERRUPT_STATUS);
	put(at, INTERRUPT_ACK, why);
	put(at, STATUS, 0);
	proof("interrupt", arrived && why & CONFIGURATION, ",\"kind\":\"%s\",\"status\":%u", kind,
	      why);
}
