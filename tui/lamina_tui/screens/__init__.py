"""The screens: the list of images, one image, and the dialogs over them."""
