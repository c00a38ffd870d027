"""What people see: pages that are documents, each with its data at the same address.

A page is made by one function that gives facts; the template, the `.json` and the `.csv` are three ways to read them.
Addresses for programs (`/v1/…`) are kept beside this folder, not in it.
"""
