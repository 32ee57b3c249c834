"""GANs whose z or whose D has parts that mean something: classes, codes, clusters, two domains."""
