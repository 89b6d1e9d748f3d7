//! Ways to pack pods onto nodes: Karpenter's greedy, the reference.
