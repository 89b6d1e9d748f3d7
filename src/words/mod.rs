//! Evidence into sentences, for the screen, JSON texts, events, logs and reports alike.
