"""Descriptions that travel with the data: Data Package v2, CSV on the Web, contracts as ODCS files, and files at addresses that stay.

/dataset/{id}.csv                    /dataset/{id}/datapackage.json
/dataset/{id}.csv-metadata.json      /dataset/{id}/versions/{n}.csv
/contracts/{id}/{version}.yaml       /v1/licences
"""

from lienthong.web.doors.packages.door import routes_of

__all__ = ["routes_of"]
