"""Build the one extension module: csrc/ and its Cython door."""

from Cython.Build import cythonize
from setuptools import Extension, setup

SOURCES = [
    "status",
    "fixed_status",
    "spiking_status",
    "dispatch",
    "kernels_portable",
    "kernels_avx2",
    "kernels_avx512",
]

setup(
    ext_modules=cythonize(
        Extension(
            "recirc_hw.backends._native",
            ["recirc_hw/backends/_native.pyx", *(f"csrc/{name}.c" for name in SOURCES)],
            include_dirs=["csrc"],
            depends=[
                "csrc/" + name
                for name in (
                    "recirc_hw.h",
                    "kernels.h",
                    "kernels.inc",
                    "response.inc",
                    "watch.inc",
                    "lanes.inc",
                    "batch.inc",
                    "undefine.inc",
                    "fixed.inc",
                    "fixed_words.inc",
                    "fixed_vectors.inc",
                    "fixed_project.inc",
                    "fixed_compute.inc",
                    "fixed_write.inc",
                    "fixed_train.inc",
                    "spiking.inc",
                )
            ],
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
