"""Documents: tagged PDFs from Typst templates, the operator's seal on them, and its check.

Nothing here imports CKAN, so all of it runs and is tested alone. The modules are imported by name, and late
where it matters, because a page that makes no document need not wait for the PDF libraries:

* ``render.render`` turns a template and its data into a PDF/UA-1, PDF/A-2a file;
* ``logo.check_logo`` says whether an uploaded image may be printed, and cleans it;
* ``seal.seal``, ``seal.verify`` put and check a PAdES seal;
* ``certificates`` reads key files and makes the demonstration's own.
"""

from .errors import DocumentError

__all__ = ["DocumentError"]
