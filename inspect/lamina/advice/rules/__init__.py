"""The rules, each by itself. :mod:`lamina.advice.catalogue` has their order."""
