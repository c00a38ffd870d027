"""CKAN's Action API v3, read only: the catalogue for harvesters, rows through the DataStore's actions.

    GET|POST /api/action/{name}    GET|POST /api/3/action/{name}

Anonymous callers see open datasets. With a subsystem's token, raw in `Authorization` or `X-CKAN-API-Key` as CKAN's clients send it,
datasets under the caller's agreements are there too, as private packages. What CKAN would change is refused as CKAN refuses it.
"""

from lienthong.web.doors.ckan.door import routes_of

__all__ = ["routes_of"]
