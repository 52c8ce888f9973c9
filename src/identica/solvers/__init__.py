"""How a method finds its components: what is trained, in which stages, from which starts."""
