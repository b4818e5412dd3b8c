"""Build hooks only: what the package is stands in ``pyproject.toml`` and ``setup.cfg``.

``setup.py`` stays because CKAN's operators and tools (``ckan generate extension``) look for it,
and because the translations are compiled when the wheel is made.
"""

from setuptools import setup

setup(
    message_extractors={
        "ckanext": [
            ("**.py", "python", None),
            ("**.js", "javascript", None),
            ("**/templates/**.html", "ckan", None),
        ],
    },
)
