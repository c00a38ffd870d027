"""Documents of a filing, made from its frozen facts by templates: PDF, Word, workbook. The same filing gives the same bytes."""

from lienthong.reports.documents.making import make, make_docx, make_pdf, make_xlsx
from lienthong.reports.documents.workbook import FormError, fill_form, read_form

__all__ = ["FormError", "fill_form", "make", "make_docx", "make_pdf", "make_xlsx", "read_form"]
