"""What somebody would try who means harm."""
