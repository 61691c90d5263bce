"""Where clips and pictures end up."""
