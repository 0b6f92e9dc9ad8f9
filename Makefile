# Each line is a command that a person could type. UBTEST_CACHE says where U-Boot is built.

PYTHON ?= python3
BOARD ?= qemu-arm64
# As many boards at once as there are processors, but eight at most
MANY = -n auto --maxprocesses 8 --dist worksteal

# All but what wants more than the setup gets, and the power cuts
MINUTES = --slow -m 'not variant' --ignore tests/board/capsule/test_power_cut.py

.PHONY: help setup qemu test test-all clean

help:
	@echo 'make qemu      set up, then run the board suite on QEMU'
	@echo 'make setup     install what is missing, make keys, build U-Boot, fetch a kernel'
	@echo 'make test      set up, then lint, types, unit, lab and board tests'
	@echo 'make test-all  the same with other builds, power cuts, the older U-Boot, sandbox, x86_64, arm'
	@echo 'make clean     remove results and the virtual environment; keys and the cache stay'

setup: .venv/installed
	.venv/bin/ubtest doctor --install
	.venv/bin/ubtest keys make
	.venv/bin/ubtest firmware build $(BOARD)
	.venv/bin/ubtest kernel get

.venv/installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "ubtest needs Python 3.11 or newer: make PYTHON=...")'
	$(PYTHON) -m ubtest.doctor --install
	flock Makefile $(PYTHON) -m venv .venv
	flock Makefile .venv/bin/pip install --disable-pip-version-check --editable '.[dev]'
	touch .venv/installed

qemu: setup
	.venv/bin/pytest $(MANY) --lg-env boards/$(BOARD).yaml

test: setup
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/pytest $(MANY)
	.venv/bin/pytest tests/lab
	.venv/bin/pytest $(MANY) --lg-env boards/$(BOARD).yaml $(MINUTES)

# The default firmware is asked for last, so that it is the one that a plain run finds
test-all: test
	.venv/bin/ubtest firmware build $(BOARD)+stock-flash
	.venv/bin/ubtest firmware build $(BOARD)+self-update
	.venv/bin/ubtest firmware build $(BOARD)+self-update-next
	.venv/bin/ubtest firmware build $(BOARD)+fit
	.venv/bin/ubtest firmware build sandbox+fit
	.venv/bin/ubtest firmware build sandbox+namespace
	.venv/bin/ubtest firmware build sandbox
	.venv/bin/ubtest firmware build qemu-x86_64
	.venv/bin/ubtest firmware build qemu-arm
	.venv/bin/ubtest kernel get debian:6.12
	.venv/bin/ubtest kernel rootfs qemu
	.venv/bin/ubtest kernel rootfs xen
	.venv/bin/ubtest kernel vfio-platform debian:6.1
	.venv/bin/ubtest kernel vfio-platform debian:6.12
	.venv/bin/pytest $(MANY) --lg-env boards/$(BOARD).yaml --slow -m variant
	.venv/bin/pytest $(MANY) --lg-env boards/$(BOARD).yaml --slow tests/board/capsule/test_power_cut.py
	.venv/bin/pytest $(MANY) --lg-env boards/$(BOARD).yaml $(MINUTES) --firmware "$$(.venv/bin/ubtest firmware build $(BOARD) --source debian:2023.01)"
	.venv/bin/ubtest firmware build $(BOARD)
	.venv/bin/pytest tests/lab --slow -m slow
	.venv/bin/pytest $(MANY) --lg-env boards/sandbox.yaml --slow
	.venv/bin/pytest $(MANY) --lg-env boards/qemu-x86_64.yaml --slow
	.venv/bin/pytest $(MANY) --lg-env boards/qemu-arm.yaml --slow tests/board/boot tests/board/usb

clean:
	rm -rf .venv results .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
