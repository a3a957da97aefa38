//! SAM resources as their translator makes them.
