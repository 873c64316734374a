"""Credit Huizhou and Credit Gansu: what the law makes public, for exactly as long as it says."""
