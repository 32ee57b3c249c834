"""Packages, and what they hold besides Python: kernels/ is installed as minigan.kernels.

It lies outside minigan/, which pyproject.toml alone cannot say; everything else stands there.
"""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["minigan*"]), "minigan.kernels"],
    package_dir={"minigan.kernels": "kernels"},
    package_data={
        "minigan": ["py.typed", "data/embedded/*", "report/assets/*"],
        "minigan.kernels": ["*.cu", "*.cuh"],
    },
)
