// SPDX-License-Identifier: GPL-2.0-or-later
/* Does with each device given what a virtual machine would do through VFIO, a line a step. */

#define _GNU_SOURCE             /* for the basename() of <string.h> */
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "step.h"

static void *map(int container, uint64_t iova, unsigned int allowed)
{
	void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct vfio_iommu_type1_dma_map request = {
		.argsz = sizeof(request),
		.flags = allowed,
		.vaddr = (uintptr_t)page,
		.iova = iova,
		.size = PAGE,
	};

	if (page == MAP_FAILED)
		return NULL;
	memset(page, 0, PAGE);
	if (step("VFIO_IOMMU_MAP_DMA", ioctl(container, VFIO_IOMMU_MAP_DMA, &request),
		 ",\"iova\":%llu", (unsigned long long)iova) < 0) {
		munmap(page, PAGE);
		return NULL;
	}
	return page;
}

static void unmap(int container, uint64_t iova, void *page)
{
	struct vfio_iommu_type1_dma_unmap request = {
		.argsz = sizeof(request),
		.iova = iova,
		.size = PAGE,
	};

	if (!page)
		return;
	step("VFIO_IOMMU_UNMAP_DMA", ioctl(container, VFIO_IOMMU_UNMAP_DMA, &request),
	     ",\"iova\":%llu,\"size\":%llu", (unsigned long long)iova,
	     (unsigned long long)request.size);
	munmap(page, PAGE);
}

static void information(int container)
{
	uint64_t room[512] = { 0 };
	struct vfio_iommu_type1_info *info = (void *)room;
	struct vfio_iommu_type1_info_dma_avail *left = NULL;
	long rc;

	info->argsz = sizeof(room);
	rc = ioctl(container, VFIO_IOMMU_GET_INFO, info);
	if (!rc && info->flags & VFIO_IOMMU_INFO_CAPS && info->cap_offset) {
		uint32_t at = info->cap_offset;

		while (at && at < sizeof(room) - sizeof(*left)) {
			struct vfio_info_cap_header *head = (void *)((char *)room + at);

			if (head->id == VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL)
				left = (void *)head;
			at = head->next;
		}
	}
	step("VFIO_IOMMU_GET_INFO", rc, ",\"page_sizes\":%llu,\"mappings_left\":%d",
	     (unsigned long long)info->iova_pgsizes, left ? (int)left->avail : -1);
}

static void inside(int container, int group)
{
	void *out, *in;
	int fd;

	if (step("VFIO_GROUP_SET_CONTAINER", ioctl(group, VFIO_GROUP_SET_CONTAINER, &container),
		 NULL) < 0 ||
	    step("VFIO_SET_IOMMU", ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU), NULL) < 0)
		return;
	information(container);
	out = map(container, IOVA_OUT, VFIO_DMA_MAP_FLAG_READ);
	in = out ? map(container, IOVA_IN, VFIO_DMA_MAP_FLAG_WRITE) : NULL;
	fd = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, device);
	if (step("VFIO_GROUP_GET_DEVICE_FD", fd, NULL) >= 0) {
		use(fd, out, in);
		close(fd);
	}
	unmap(container, IOVA_OUT, out);
	unmap(container, IOVA_IN, in);
}

/* The number of a device's group; a device of the platform bus is looked for second */
static int group_of(void)
{
	static const char *const buses[] = { "pci", "platform", "amba" };
	char path[256], target[256];
	ssize_t length = -1;
	int n, number;

	for (n = 0; length < 0 && n < 3; n++) {
		snprintf(path, sizeof(path), "/sys/bus/%s/devices/%s/iommu_group", buses[n], device);
		length = readlink(path, target, sizeof(target) - 1);
	}
	if (length < 0)
		return step("iommu_group", -1, NULL);
	target[length] = 0;
	number = atoi(basename(target));
	step("iommu_group", 0, ",\"group\":%d", number);
	return number;
}

static void probe(void)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	int container, group, number, rc;
	char path[64];

	container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	if (step("open container", container, NULL) < 0)
		return;
	rc = ioctl(container, VFIO_GET_API_VERSION);
	step("VFIO_GET_API_VERSION", rc, ",\"version\":%d", rc);
	rc = ioctl(container, VFIO_CHECK_EXTENSION, VFIO_TYPE1v2_IOMMU);
	step("VFIO_CHECK_EXTENSION", rc, ",\"extension\":\"TYPE1v2\",\"there\":%s",
	     rc > 0 ? "true" : "false");
	number = group_of();
	if (number >= 0) {
		snprintf(path, sizeof(path), "/dev/vfio/%d", number);
		group = open(path, O_RDWR | O_CLOEXEC);
		if (step("open group", group, NULL) >= 0) {
			rc = ioctl(group, VFIO_GROUP_GET_STATUS, &status);
			if (step("VFIO_GROUP_GET_STATUS", rc, ",\"viable\":%s",
				 status.flags & VFIO_GROUP_FLAGS_VIABLE ? "true" : "false") >= 0)
				inside(container, group);
			close(group);
		}
	}
	close(container);
}

/* A mark in the kernel's log: what it says from here on is about this device */
static void mark(void)
{
	int log = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);

	if (log >= 0) {
		dprintf(log, "<6>vfio-probe: %s begins\n", device);
		close(log);
	}
}

int main(int argc, char **argv)
{
	static const char letters[] = "0123456789:.,_@-abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	int n;

	for (n = 1; n < argc; n++) {
		device = argv[n];
		if (strspn(device, letters) != strlen(device))
			return 2;
		mark();
		probe();
	}
	return argc > 1 ? 0 : 2;
}
