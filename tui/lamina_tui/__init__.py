"""The command and the screen of lamina: draws what :mod:`lamina` computed."""
