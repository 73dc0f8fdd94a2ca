"""One document each, as JSON, text and Markdown: data in, text out."""
