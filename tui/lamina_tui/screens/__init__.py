"""The screens: images, one image, a set, a comparison, the tree of layers; and the dialogs over them."""
