"""Whose firmware an UpdateImageTypeId means: the boards of U-Boot 2025.01 that support capsules.

From `fw_images[]` and the `*_IMAGE_GUID` of U-Boot's `include/configs` and `board`. Boards with
dynamic GUIDs have none here, except the sandbox, whose computed ones U-Boot names itself.
"""

from ubtest.formats.guid import Guid

_BOARDS = {
    "sandbox": {
        "985f2937-7c2e-5e9a-8a5e-8e063312964b": "U-Boot",
        "9e339473-c2eb-530a-a69b-0cd6bbbed40e": "environment",
        "46610520-469e-59dc-a8dd-c11832b877ea": "FIT",
    },
    "QEMU arm64": {"058b7d83-50d5-4c47-a195-60d86ad341c4": "U-Boot"},
    "QEMU arm": {"f885b085-99f8-45af-847d-d514107a4a2c": "U-Boot"},
    "AM62Px SK": {
        "b08471b7-be2d-4489-87a1-cab28a0cf743": "tiboot3",
        "d02ed781-6d71-4c1a-a999-3c6a41c36324": "SPL",
        "7e6aea51-965c-44ab-b388-daeb03b54f66": "U-Boot",
    },
    "AM62x SK": {
        "abcb83d2-9cb6-4351-b8f1-6494bbe3700a": "tiboot3",
        "aee355fc-bf97-4264-8c82-437255efdc1d": "SPL",
        "28ab8c6c-fca8-41d3-8ea1-5f171b7d2929": "U-Boot",
    },
    "AM64x SK": {
        "ede0a0d5-9116-4bfb-aa54-09e97b5afe1a": "tiboot3",
        "77678f5c-64d4-4910-ad75-52c9d95cdb1d": "SPL",
        "c6ad43a9-7d31-4f5d-83e9-b8efecae05bf": "U-Boot",
    },
    "AM69 SK": {
        "adf49ec5-61bb-4dbe-8b8d-39df4d7ebf46": "tiboot3",
        "787f0059-63a1-461c-a18e-9d838345fe8e": "SPL",
        "9300505d-6ec5-4ff8-99e4-5459a04be617": "U-Boot",
    },
    "J721E SK": {
        "e672b518-7cd7-4014-bd8d-40724d0ad4dc": "tiboot3",
        "86f710ad-10cf-46ea-ac67-856ae06efad2": "SPL",
        "81b58fb0-3b00-4add-a20a-c185bbaca1ed": "U-Boot",
        "6fd10680-361b-431f-80aa-899455819e11": "system firmware",
    },
    "BeagleBone AI-64": {
        "772a4810-2194-4923-8754-0115870ef367": "tiboot3",
        "83447222-1e26-40cd-a395-b7de0957e875": "SPL",
        "4249ff77-c17d-4eb7-a1db-45aa9887d49e": "U-Boot",
        "dfc9c683-49b7-46bd-b3c1-3a3b2fdb135b": "system firmware",
    },
    "BeaglePlay": {
        "0e225a09-f720-4d57-9120-e28f737f5a5e": "tiboot3",
        "b2e7cc49-1a5a-4036-ae01-3387c3bef657": "SPL",
        "92c92b11-a7ee-486f-aaa2-713d84425b0e": "U-Boot",
    },
    "CompuLab IOT-GATE-iMX8": {
        "7a32a939-ab92-467b-9152-74771b95e646": "FIT",
        "0bf1165c-1831-4864-945e-ac3d3848f499": "FIT with OP-TEE",
    },
    "Advantech RSB-3720A1": {
        "b1251e89-384a-4635-a806-3aa0b0e9f965": "FIT, 4 GiB",
        "b5fb6f08-e142-4db1-97ea-5fd36b9be5b9": "FIT, 6 GiB",
    },
    "Kontron SL i.MX8MM": {"d488e45a-4929-4b55-8c14-86cea2cd6629": "FIT"},
    "Kontron pITX-imx8m": {"c898e959-5b1f-4e6d-88e0-40d45cca1399": "FIT"},
    "Kontron SMARC-sAL28": {"86ebd44f-feb8-466f-8bb8-890618456d8b": "FIT"},
    "Qualcomm": {"2a5aa852-b856-4d97-baa9-5c5f4421551f": "U-Boot"},
    "ROCK Pi 4B": {
        "02f4d760-cfd5-43bd-8e2d-a42acb33c660": "idbloader",
        "4ce292da-1dd8-428d-a1c2-77743ef8b96e": "U-Boot",
    },
    "ROCK Pi 4C": {
        "fd68510c-12d3-4f0a-b8d3-d879e1d3a540": "idbloader",
        "b81fb4ae-e4f3-471b-99b4-0b3da549ce13": "U-Boot",
    },
    "STM32MP": {"19d5df83-11b0-457b-be2c-7559c13142a5": "FIP"},
    "DeveloperBox": {
        "880866e9-84ba-4793-a908-33e0b916f398": "FIP",
        "7d6dc310-52ca-43b8-b7b9-f9d6c501d108": "FIP, updated by banks",
    },
    "AMD Versal": {"20c5fba5-0171-457f-b9cd-f5129cd07228": "boot image"},
    "AMD ZynqMP": {
        "de6066e8-0256-4fad-8238-e406e274c4cf": "boot image",
        "cf9ecfd4-938b-41c5-8551-1f883ab7dc18": "U-Boot",
    },
    "AMD Zynq": {
        "1ba29a15-9969-40aa-b424-e86121618664": "boot image",
        "1a5178f0-87d3-4f36-ac63-3b31a23be305": "U-Boot",
    },
}

IMAGE_TYPES = {
    Guid.of(text): f"{board}: {image}"
    for board, images in _BOARDS.items()
    for text, image in images.items()
}
