"""What the words of a prompt ask of camera and picture: for each language a vocabulary and a reader."""
