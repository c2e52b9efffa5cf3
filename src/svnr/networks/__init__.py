"""What learners compute with: critics, actors, samplers, Gaussians, and what moves them."""
