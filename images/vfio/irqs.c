// SPDX-License-Identifier: GPL-2.0-or-later
/* Every kind of interrupt that a device has: set to an eventfd, and heard if the device is ours. */

#include <errno.h>
#include <linux/vfio.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "step.h"

#define PATIENCE 1000           /* milliseconds */

static const char *const kinds[] = { "INTx", "MSI", "MSI-X" };

static int set(int fd, unsigned int index, int event)
{
	struct {
		struct vfio_irq_set head;
		int event;
	} request = {
		.head = {
			.argsz = sizeof(request),
			.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
			.index = index,
			.count = 1,
		},
		.event = event,
	};

	return ioctl(fd, VFIO_DEVICE_SET_IRQS, &request);
}

static void clear(int fd, unsigned int index)
{
	struct vfio_irq_set request = {
		.argsz = sizeof(request),
		.flags = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER,
		.index = index,
	};

	ioctl(fd, VFIO_DEVICE_SET_IRQS, &request);
}

static void hear(struct registers *edu, int event, const char *kind)
{
	struct pollfd wait = { .fd = event, .events = POLLIN };
	int arrived;

	edu_raise(edu);
	arrived = poll(&wait, 1, PATIENCE) == 1;
	edu_acknowledge(edu);
	proof("interrupt", arrived, ",\"kind\":\"%s\"", kind);
}

static void one(int fd, unsigned int index, const char *kind, struct registers *edu,
		struct registers *virtio)
{
	int event = eventfd(0, EFD_CLOEXEC);

	if (event < 0) {
		step("eventfd", event, NULL);
		return;
	}
	if (step("VFIO_DEVICE_SET_IRQS", set(fd, index, event), ",\"kind\":\"%s\"", kind) == 0) {
		if (edu)
			hear(edu, event, kind);
		if (virtio)
			virtio_mmio_hear(virtio, event, kind);
		clear(fd, index);
	}
	close(event);
}

void irqs(int fd, unsigned int count, int pci, struct registers *edu, struct registers *virtio)
{
	unsigned int index;

	for (index = 0; index < count; index++) {
		struct vfio_irq_info info = { .argsz = sizeof(info), .index = index };
		const char *kind = !pci ? "wired" : index < 3 ? kinds[index] : "other";
		int rc = ioctl(fd, VFIO_DEVICE_GET_IRQ_INFO, &info);

		if (rc && errno == EINVAL && pci && index >= 3)
			continue;       /* kinds that vfio-pci has only for some devices */
		step("VFIO_DEVICE_GET_IRQ_INFO", rc, ",\"kind\":\"%s\",\"count\":%u", kind,
		     rc ? 0 : info.count);
		if (!rc && info.count && info.flags & VFIO_IRQ_INFO_EVENTFD &&
		    (!pci || index < 3))
			one(fd, index, kind, edu, virtio);
	}
	if (!edu && !virtio)
		not_proven("interrupt", "only QEMU's edu raises one when asked");
}
