"""USB as U-Boot prints it: recorded on QEMU with a hub behind a hub, and a second controller."""

from ubtest.uefi.driver_model import below, parse_devices
from ubtest.uefi.handles import parse_handles
from ubtest.uefi.usb import BusDevice, parse_tree, sticks

TREE = r"""USB device tree:
  1  Hub (5 Gb/s, 0mA)
  |  U-Boot XHCI Host Controller 
  |
  |\x08+-2  Mass Storage (5 Gb/s, 0mA)
  |    QEMU QEMU USB HARDDRIVE SAME
  |  
  |\x08+-4  Hub (12 Mb/s, 0mA)
    |  QEMU QEMU USB Hub 314159-0000:00:01.0-2
    |
    |\x08+-6  Mass Storage (12 Mb/s, 0mA)
         QEMU QEMU USB HARDDRIVE SAME
       
  1  Hub (5 Gb/s, 0mA)
     U-Boot XHCI Host Controller 
   
"""  # noqa: W291, W293 (as it is printed)

MODEL = """ Class     Seq    Probed  Driver                Name
-----------------------------------------------------------
 root          0  [ + ]   root_driver           root_driver
 usb           0  [ + ]   xhci_pci              |   |-- xhci_pci
 usb_hub       0  [ + ]   usb_hub               |   |   `-- usb_hub
 usb_mass_s    0  [ + ]   usb_mass_storage      |   |       |-- usb_mass_storage
 blk           1  [ + ]   usb_storage_blk       |   |       |   |-- usb_mass_storage.lun0
 partition     0  [ + ]   blk_partition         |   |       |   |   `-- usb_mass_storage.lun0:1
 bootdev       2  [   ]   usb_bootdev           |   |       |   `-- usb_mass_storage.lun0.bootdev
 usb_hub       1  [ + ]   usb_hub               |   |       `-- usb_hub
 usb_mass_s    1  [ + ]   usb_mass_storage      |   |           `-- usb_mass_storage
 mmc           0  [   ]   pci_mmc               |   |-- pci_mmc
 rtc           0  [   ]   rtc-pl031             `-- pl031@9010000
"""

DISK = "/VenHw(e61d73b9-a384-4acc-aeab-82e828f3628b,7e00000000000000)/USB(0x0,0x0)"
OLD_DISK = "/VenHw(e61d73b9-a384-4acc-aeab-82e828f3628b)/UsbClass(0x0,0x0,0x9,0x0,0x3)"
PARTITION = "HD(1,GPT,ecbe524b-45f7-5f5c-b4f1-d3a02d064dcc,0x800,0x1f000)"
HANDLES = f"""
000000004e664990
  /VenHw(e61d73b9-a384-4acc-aeab-82e828f3628b)
  Device Path To Text

000000004f7d4b60
  /VenHw(e61d73b9-a384-4acc-aeab-82e828f3628b,0000000000000000)/Uart(0,0,D,D)

000000004e664d10
  Driver Binding

000000004e66f290 (usb_mass_storage.lun0)
  {DISK}/USB(0x1,0x0)/Ctrl(0x0)
  Block IO

000000004e66f3f0 (usb_mass_storage.lun0:1)
  {DISK}/USB(0x1,0x0)/Ctrl(0x0)/{PARTITION}
  Block IO
  System Partition
  Simple File System

000000004e66f490 (usb_mass_storage.lun0)
  {DISK}/USB(0x6,0x0)/USB(0x3,0x0)/Ctrl(0x0)
  Block IO

000000004e66f590 (virtio-blk#0)
  /VenHw(e61d73b9-a384-4acc-aeab-82e828f3628b,0000000000000000)
  Block IO

000000004eea9a80 (usb_mass_storage.lun0)
  {OLD_DISK}/UsbClass(0x46f4,0x1,0x0,0x0,0x0)
  Block IO
"""


def test_the_tree_of_the_buses() -> None:
    root = BusDevice(1, "Hub", "5 Gb/s", "U-Boot XHCI Host Controller")
    assert parse_tree(TREE) == (
        root,
        BusDevice(2, "Mass Storage", "5 Gb/s", "QEMU QEMU USB HARDDRIVE SAME"),
        BusDevice(4, "Hub", "12 Mb/s", "QEMU QEMU USB Hub 314159-0000:00:01.0-2"),
        BusDevice(6, "Mass Storage", "12 Mb/s", "QEMU QEMU USB HARDDRIVE SAME"),
        root,
    )


def test_the_driver_model_and_what_is_below_a_stick() -> None:
    found = parse_devices(MODEL)
    assert [each.depth for each in found] == [0, 2, 3, 4, 5, 6, 5, 4, 5, 2, 1]
    assert [each.probed for each in found].count(False) == 3
    assert [each.name for each in below(found, "usb_mass_storage")] == [
        "usb_mass_storage.lun0",
        "usb_mass_storage.lun0:1",
        "usb_mass_storage.lun0.bootdev",
    ]


def test_sticks_are_told_from_other_disks_and_know_their_ports() -> None:
    first, second, old = sticks(parse_handles(HANDLES))
    assert (first.ports, second.ports, old.ports) == ((1,), (6, 3), ())
    assert first.controller == second.controller == DISK.removesuffix("/USB(0x0,0x0)")
    assert [each.path for each in first.partitions] == [f"{first.disk.path}/{PARTITION}"]
    assert first.partitions[0].device == "usb_mass_storage.lun0:1"
    assert second.partitions == old.partitions == ()
