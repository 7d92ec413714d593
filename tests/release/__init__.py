"""How a release is made: versions, notes, images, workflows."""
