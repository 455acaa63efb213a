"""Build the one extension module: csrc/ and its Cython door."""

from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

CORE = ["status", "fixed_status", "analog_status", "spiking_status", "dispatch"]
KERNELS = [
    f"{family}_{isa}"
    for family in ("ideal", "fixed", "analog", "spiking")
    for isa in ("portable", "avx2", "avx512")
]
HEADERS = [str(path) for suffix in ("h", "inc") for path in Path("csrc").glob(f"*.{suffix}")]
DOOR = [str(path) for path in Path("recirc_hw/backends").glob("_native*.px[di]")]

setup(
    ext_modules=cythonize(
        Extension(
            "recirc_hw.backends._native",
            ["recirc_hw/backends/_native.pyx", *(f"csrc/{name}.c" for name in CORE + KERNELS)],
            include_dirs=["csrc"],
            depends=HEADERS + DOOR,
            extra_compile_args=[
                "-std=c11",
                "-O3",
                "-ffp-contract=off",
                "-fno-math-errno",
                "-fno-trapping-math",
            ],
        )
    )
)
