"""Build hooks only: what the package is stands in ``pyproject.toml``.

The translations are compiled when the wheel is made: a wheel without its ``.mo`` files speaks English only.
"""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

I18N = Path(__file__).parent / "ckanext" / "dinamis_relais" / "i18n"


class BuildWithTranslations(build_py):
    """Compile each ``.po`` beside it, then build as usual."""

    def run(self) -> None:
        """Compile, then build."""
        from babel.messages.mofile import write_mo
        from babel.messages.pofile import read_po

        for path in I18N.glob("*/LC_MESSAGES/*.po"):
            with path.open("rb") as source, path.with_suffix(".mo").open("wb") as target:
                write_mo(target, read_po(source))
        super().run()


setup(
    cmdclass={"build_py": BuildWithTranslations},
    message_extractors={
        "ckanext": [
            ("**.py", "python", None),
            ("**/templates/**.html", "ckan", None),
        ],
    },
)
