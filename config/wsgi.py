"""The WSGI application, for any production server: ``gunicorn -c python:… wsgi:application``.

The site's configuration file is named by the environment variable ``CKAN_INI``.
"""

import os
from logging.config import fileConfig

from ckan.cli import CKANConfigLoader
from ckan.config.middleware import make_app

path = os.environ["CKAN_INI"]
fileConfig(path, disable_existing_loggers=False)
application = make_app(CKANConfigLoader(path).get_config())
