"""The paper's own way to a face's coefficients: R-Net, for users who have it."""
