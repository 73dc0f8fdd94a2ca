"""What programs that reason ask through: the reports, bounded and in pages, by the Model Context Protocol."""
