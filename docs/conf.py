"""
How Sphinx makes the site, of the same pages that are read in the repository.

    python -m sphinx -W --keep-going -c docs . build/site

Rule: a page is plain Markdown, whose links are paths. What only a site needs is here, in toc.yml, in
      _static and in _templates.
"""

from __future__ import annotations

project = "mailcore"
extensions = ["myst_parser", "sphinx_copybutton", "sphinx_external_toc"]
nitpicky = True

root_doc = "docs/index"
external_toc_path = "docs/toc.yml"
include_patterns = [
    "*.md",
    "docs/**.md",
    "adapters/*/README.md",
    "adapters/*/*/kit/README.md",
    "conformance_tests/README.md",
    "examples/*.md",
]
exclude_patterns = [".*", "build", "dist"]

# A checklist has boxes, as on a forge.
myst_enable_extensions = ["tasklist"]
# Deep enough for each public name, hook and command to have an address.
myst_heading_anchors = 4
# Generated parts begin where their page's own headings end.
suppress_warnings = ["myst.header"]

html_theme = "furo"
html_title = "mailcore"
html_show_copyright = False
templates_path = ["_templates"]
html_static_path = ["_static"]
html_css_files = ["wide.css"]
# The first page is docs/index.html, so that links between pages are those of the repository.
html_additional_pages = {"index": "to_docs.html"}
# What a reader copies is what is typed, without the prompt and without what it printed.
copybutton_prompt_text = "$ "
copybutton_only_copy_prompt_lines = True
