/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One line of JSON for each step of VFIO:
 *
 *   {"device":"0000:00:03.0","step":"VFIO_SET_IOMMU","ok":false,"errno":28,"iommu":"TYPE1v2"}
 *
 * "ok" is null where a step says nothing about the device. ubtest/handoff/vfio.py reads the lines,
 * vfio_probe.py beside this file prints the same.
 */
#ifndef STEP_H
#define STEP_H

#include <stdint.h>

#define IOVA_OUT 0x100000ull    /* what the device reads */
#define IOVA_IN 0x200000ull     /* what the device writes */
#define PAGE 4096

extern const char *device;

/* A step's line; MORE adds members, ",\"name\":1". Returns RC, and -1 means that errno says why. */
long step(const char *name, long rc, const char *more, ...) __attribute__((format(printf, 3, 4)));

/* A step that proves nothing, and why */
void not_proven(const char *name, const char *why);

/* A step that is judged here and not by errno */
void proof(const char *name, int ok, const char *more, ...) __attribute__((format(printf, 3, 4)));

/* The registers of a region, from its offset in the device's file on */
struct registers {
	int fd;
	uint64_t offset;
};

uint32_t get(struct registers *at, unsigned int reg);
void put(struct registers *at, unsigned int reg, uint32_t value);

/* All that a device's file gives, device.c; OUT and IN are the pages at their IOVA, or NULL */
void use(int fd, uint8_t *out, uint8_t *in);

/*
 * Interrupts of a device, irqs.c; EDU and VIRTIO are NULL for a device that nothing here can make
 * interrupt
 */
void irqs(int fd, unsigned int count, int pci, struct registers *edu, struct registers *virtio);

/* What QEMU's device edu can prove, edu.c */
#define EDU 0x11e81234

void edu_dma(struct registers *edu, uint8_t *out, uint8_t *in);
void edu_raise(struct registers *edu);
void edu_acknowledge(struct registers *edu);

/*
 * What a virtio-mmio device can prove, virtio_mmio.c; here only, vfio_probe.py does not. Its
 * interrupt is waited for where the environment has VFIO_PROBE_WAIT=SECONDS.
 */
int is_virtio_mmio(struct registers *at);
int virtio_mmio_patience(void);
void virtio_mmio_reset(struct registers *at);
void virtio_mmio_hear(struct registers *at, int event, const char *kind);

#endif
