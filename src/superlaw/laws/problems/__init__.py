"""What the solver works on: models over given points, with their derivatives, and what they are compared with."""
