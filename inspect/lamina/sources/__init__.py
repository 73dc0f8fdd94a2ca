"""Where images come from: archives, layouts, streams, engines, the demo; all answer one small protocol."""
