"""WSGI entry point."""

import os

from django.core.wsgi import get_wsgi_application

from modelmanager.api.bodies import WithLength
from modelmanager.checks import refuse_a_wrong_installation

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "modelmanager.settings")
application = WithLength(get_wsgi_application())
refuse_a_wrong_installation()
