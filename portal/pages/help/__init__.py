"""Help: what every code and word means, and what an error of AWS or Entra means that somebody pastes."""
